"""Of lesson 10."""

from wrong_answers.answer import Wrong

WRONG: Wrong = {}
