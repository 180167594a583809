"""What ``course.py`` does: find a Python, install the locked packages, start things.

Runs on Python 3.8 and newer with nothing but the standard library, for it runs before anything else
is there.
"""
