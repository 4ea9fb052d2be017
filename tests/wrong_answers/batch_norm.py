"""Of lesson 2."""

from wrong_answers.answer import Wrong

WRONG: Wrong = {}
