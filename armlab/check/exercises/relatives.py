"""Lesson 6: the relatives of ARM."""

from __future__ import annotations

from armlab.check.exercises.exercise import Asked

EXERCISES: dict[str, Asked] = {}
