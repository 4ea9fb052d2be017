"""Lesson 5: ARM in its versions."""

from __future__ import annotations

from armlab.check.exercises.exercise import Asked

EXERCISES: dict[str, Asked] = {}
