"""Exercises and what ``check`` says about an answer. Each lesson's exercises stand in a module of their own."""

from sparsecourse.exercises.checking import Exercise, Mistake, check, exercises

__all__ = ["Exercise", "Mistake", "check", "exercises"]
