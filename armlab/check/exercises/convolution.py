"""Lesson 1: convolution."""

from __future__ import annotations

from armlab.check.exercises.exercise import Asked

EXERCISES: dict[str, Asked] = {}
