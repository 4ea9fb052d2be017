"""Lesson 8: ARM in a network."""

from __future__ import annotations

from armlab.check.exercises.exercise import Asked

EXERCISES: dict[str, Asked] = {}
