"""One call of a learner's code, here or in another process.

A function marked with :func:`tryout` takes the learner's object first. In a notebook it is simply
called. In the grader the check holds an :class:`Elsewhere` in the object's place: then the call
travels to the learner's process, and the value, or the error, comes back as plain JSON. So a check
and what it expects are never where the learner's code is.
"""

import base64
import functools
import json
import pickle
import warnings
from collections.abc import Callable
from typing import Any

from course_lib.tryouts.errors import RaisedThere, explain, is_nothing
from course_lib.tryouts.plain import MAX_TEXT, decode, encode
from course_lib.tryouts.prints import few_lines

MIME = "application/vnd.course.values+json"


def tryout(function: Callable) -> Callable:
    """Mark a function of a module as one that runs where the learner's code is.

    Its first argument is the learner's object, the others are pickled, and what it returns must be
    numbers, arrays, text, true and false, None, or lists, sets and dicts of these. It should give
    back what came out and judge nothing, as a learner could replace it.
    """

    @functools.wraps(function)
    def run(attempt: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(attempt, Elsewhere):
            return attempt.ask(run, args, kwargs)
        return function(attempt, *args, **kwargs)

    return run


@tryout
def call(attempt: Any, *args: Any, **kwargs: Any) -> Any:
    """Call the learner's function."""
    return attempt(*args, **kwargs)


@tryout
def leaves_alone(attempt: Any, *args: Any, **kwargs: Any) -> bool | None:
    """Call the learner's function; return whether what it was given is as it was."""
    before = pickle.dumps((args, kwargs))
    if attempt(*args, **kwargs) is None:
        return None
    return pickle.dumps((args, kwargs)) == before


def gathered(values: Any) -> list[Any] | None:
    """Return several answers as a list, or None where one of them is: a forgotten ``return``."""
    found = list(values)
    return None if any(value is None for value in found) else found


class Elsewhere:
    """A learner's object that lives in another process.

    Args:
        send: takes a request as text, and returns the plain answer of :func:`respond`.
    """

    def __init__(self, send: Callable[[str], Any]) -> None:
        self._send = send

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the object."""
        return call(self, *args, **kwargs)

    def ask(self, function: Callable, args: tuple, kwargs: dict[str, Any]) -> Any:
        """Call a tryout there; nothing of the answer is trusted.

        Raises:
            RaisedThere: if it raised an error.
        """
        request = base64.b64encode(pickle.dumps((function, args, kwargs))).decode()
        answer = self._send(request)
        if "value" in answer:
            return decode(answer["value"])
        name, message, words = (
            str(answer.get(part, ""))[:MAX_TEXT] for part in ("error", "message", "words")
        )
        raise RaisedThere(name, message, words, answer.get("nothing") is True)


def respond(attempt: Any, request: str, token: str) -> None:
    """Do in the learner's process what was asked for, and show the answer as an output.

    Args:
        attempt: the learner's object.
        request: what :meth:`Elsewhere.ask` wrote.
        token: tells the judge that the output is this one.
    """
    from IPython.display import display

    display({MIME: json.dumps({"token": token, **answer_to(attempt, request)})}, raw=True)


def answer_to(attempt: Any, request: str) -> dict[str, Any]:
    """Do what was asked for; return the value, or the error in words, as plain JSON."""
    function, args, kwargs = pickle.loads(base64.b64decode(request))
    try:
        with warnings.catch_warnings(), few_lines():
            warnings.simplefilter("ignore")
            return {"value": encode(function(attempt, *args, **kwargs))}
    except (Exception, SystemExit) as error:
        try:
            message = str(error)
        except Exception:
            message = ""
        return {
            "error": type(error).__name__,
            "message": message[:MAX_TEXT],
            "words": explain(error)[:MAX_TEXT],
            "nothing": is_nothing(error),
        }
