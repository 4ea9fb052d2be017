"""Of lesson 8."""

from wrong_answers.answer import Wrong

WRONG: Wrong = {}
