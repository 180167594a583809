"""The class grader: ``python -m course_lib.grading SUBMISSIONS --out REPORT``.

A thin layer on nbval and pytest. A learner's answers are put into notebooks of our own, one per
exercise, run in a kernel in a sandbox, and judged in another process by their values alone.
No notebook imports this package; ``docs/grading.md`` describes it.
"""
