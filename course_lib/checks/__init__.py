"""Instant feedback on the exercises: one module per notebook.

A notebook imports its own module, ``from course_lib.checks import maze as checks``.
"""
