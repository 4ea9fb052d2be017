"""Of lesson 11."""

from wrong_answers.answer import Wrong

WRONG: Wrong = {}
