"""Submissions for the tests of the class grader, each with the points it should get."""
