"""Of lesson 9."""

from wrong_answers.answer import Wrong

WRONG: Wrong = {}
