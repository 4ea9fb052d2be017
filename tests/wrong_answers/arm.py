"""Of lesson 5."""

from wrong_answers.answer import Wrong

WRONG: Wrong = {}
