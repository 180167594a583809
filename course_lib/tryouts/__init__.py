"""What checks do with a learner's code: it is called, and what comes out is given back.

Nothing here judges. In the class grader these functions run in the learner's process, and the
checks that call them in another.
"""
