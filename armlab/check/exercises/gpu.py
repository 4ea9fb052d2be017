"""Lesson 11: the GPU."""

from __future__ import annotations

from armlab.check.exercises.exercise import Asked

EXERCISES: dict[str, Asked] = {}
