"""Answers to exercise 1.2, the update rule: name, code, points out of 10, state.

``HEAD`` is the first line of a right answer's function; ``RIGHT`` its body.
"""

HEAD = "def td_update(q_value, reward, next_q_values, terminated, *, learning_rate, gamma):\n"
RIGHT = (
    "    target = reward + gamma * (not terminated) * next_q_values.max()\n"
    "    return (1 - learning_rate) * q_value + learning_rate * target\n"
)
GOOD = HEAD + RIGHT
FORGE = "import course_lib.tryouts.core as c, json\nfrom IPython.display import display\n"


def body(line: str) -> str:
    """A function with one line before the right answer."""
    return HEAD + f"    {line}\n" + RIGHT


def target(expression: str) -> str:
    """A function with another target."""
    return HEAD + f"    return q_value + learning_rate * ({expression} - q_value)\n"


RIGHT_ANSWERS = {
    "solution": GOOD,
    "if-else": target("(reward if terminated else reward + gamma * max(next_q_values))"),
    "lambda": "td_update = lambda q, r, after, end, *, learning_rate, gamma: "
    "q + learning_rate * (r + gamma * (not end) * max(after) - q)",
    "helper-inside": "def best(row):\n    return max(row)\n"
    + target("reward + gamma * (not terminated) * best(next_q_values)"),
    "numpy-scalar": target("np.float64(reward) + gamma * (not terminated) * next_q_values.max()"),
    "debug-prints": body("print('q', q_value, 'reward', reward)"),
    "many-prints": body("[print('flood' * 1000) for _ in range(5_000)]"),
    "stderr-and-warnings": "import sys, warnings\n"
    + body("print('hm', file=sys.stderr); warnings.warn('careful')"),
    "progress-bar": "from tqdm import tqdm\n" + body("[None for _ in tqdm(range(3))]"),
    "plots": "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()\n" + GOOD,
    "types": GOOD.replace("q_value, reward", "q_value: float, reward: 'float'"),
    "magic": "%matplotlib inline\n!echo hello\n" + GOOD,
    "markers": "# NBVAL_SKIP\n# NBVAL_RAISES_EXCEPTION\n" + GOOD,
    "tries-it-after": GOOD
    + "print(td_update(1.0, 2.0, np.zeros(4), False, learning_rate=1, gamma=1))",
    "uses-the-notebooks-env": GOOD + "print(env.observation_space, maze.height)",
    "error-after-the-function": GOOD + "1 / 0",
    "check-in-the-same-cell": GOOD + "td_update = checks.check_td_update(td_update)\n",
    "thread-noise": "import threading, time\ndef noise():\n    while True:\n"
    "        print('x', end='')\n        time.sleep(0.01)\n"
    "threading.Thread(target=noise, daemon=True).start()\n" + GOOD,
    "transformer": "import ast\nclass T(ast.NodeTransformer):\n"
    "    def visit_Constant(self, n):\n        n.value = 7 if type(n.value) is int else n.value\n"
    "        return n\nget_ipython().ast_transformers.append(T())\n" + GOOD,
    # longer by the clock than the six seconds of computing that the corpus allows
    "waits-as-on-a-busy-machine": "import time\n" + body("time.sleep(1.1)"),
    "unicode": "# Größe, 学習\nalpha_α = 1\n" + GOOD,
    "half-an-emoji": "# well done \ud83d\n" + GOOD,
    "two-halves-of-an-emoji": "# well done \ud83d\ude00\n" + GOOD,
    "control-characters-printed": body("print('\\x00\\x1b[31m' + chr(0xd800))"),
    "raise-in-a-comment": HEAD + '    # raise NotImplementedError("Exercise 1.2")\n' + RIGHT,
    "stub-left-above": HEAD + '    raise NotImplementedError("Exercise 1.2")\n\n\n' + GOOD,
    "raise-left-below": GOOD + '    raise NotImplementedError("Exercise 1.2")\n',
    "raise-in-a-text": GOOD + 'note = \'raise NotImplementedError("Exercise 1.2")\'\n',
    # connections that are there stay; nobody connects anew, to whatever lies there
    "sockets-replaced": "import glob, os\nfor name in glob.glob('/tmp/**/k-*', recursive=True):\n"
    "    os.unlink(name)\n    os.symlink('HOSTSOCKET', name)\n" + GOOD,
}  # fmt: skip

# code, points, state
WRONG_ANSWERS = {
    "no-gamma": (target("reward + (not terminated) * max(next_q_values)"), 6, "partly"),
    "no-mask": (target("reward + gamma * max(next_q_values)"), 7, "partly"),
    "mean": (target("reward + gamma * (not terminated) * next_q_values.mean()"), 6, "partly"),
    "first-of-row": (target("reward + gamma * (not terminated) * next_q_values[0]"), 6, "partly"),
    "wrong-sign": (target("reward + gamma * (not terminated) * max(next_q_values)").replace(
        "q_value + learning", "q_value - learning"), 7, "partly"),
    "swapped": (GOOD.replace("(1 - learning_rate) * q_value + learning_rate", "learning_rate * "
                             "q_value + (1 - learning_rate)"), 7, "partly"),
    "target-alone": (GOOD.replace("return (1 - learning_rate) * q_value + learning_rate * target",
                                  "return target"), 7, "partly"),
    "none": (HEAD + "    pass\n", 0, "wrong"),
    "text": (GOOD.replace("return (", "return str((") .rstrip() + ")\n", 0, "wrong"),
    "worked-numbers-only": (HEAD + "    return {20.0: 12.5}.get(reward, 8.0 if learning_rate == 1 "
                            "else 5.75 if learning_rate else 5.0)\n", 0, "wrong"),
    "raises": (HEAD + "    raise ValueError('no idea')\n", 0, "wrong"),
    "raises-at-the-end": (body("if terminated: raise KeyError('end')"), 7, "partly"),
    "syntax-error": (HEAD + "    return (1 - \n", 0, "error"),
    "indentation": (HEAD + "return 1\n", 0, "error"),
    "another-name": (GOOD.replace("td_update", "update"), 0, "error"),
    "another-signature": ("def td_update(a, b):\n    return a\n", 0, "wrong"),
    "no-such-package": ("import numpyy\n" + GOOD, 0, "error"),
    "half-a-character": (HEAD + "    raise ValueError(chr(0xd800))\n", 0, "wrong"),
    "nul-and-controls": (HEAD + "    raise ValueError('\\x00\\x1b[2J' * 1000)\n", 0, "wrong"),
    "half-a-character-outside": ("raise ValueError(chr(0xd800))\n" + GOOD, 0, "error"),
    "still-a-stub": (HEAD + '    x = 1\n    raise NotImplementedError("todo")\n', 0,
                     "not started yet"),
    "input": ("input('?')\n" + GOOD, 0, "error"),
    "half-a-stub": (body("if terminated: raise NotImplementedError"), 7, "partly"),
    "nested": ("x = " + "(" * 3000 + ")" * 3000 + "\n" + GOOD, 0, "error"),
}  # fmt: skip

STOPPED_ANSWERS = {
    "loop": (body("while True: pass"), "stopped: time"),
    "loop-outside": ("while True: pass\n" + GOOD, "stopped: time"),
    "loop-deaf": (
        "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        + HEAD + "    while True:\n        try:\n            while True: pass\n"
        "        except BaseException: pass\n", "stopped: time"),
    "sleep": ("import time\n" + body("time.sleep(10_000)"), "stopped: time"),
    "exit-now": ("import os\nos._exit(0)\n" + GOOD, "stopped: died"),
    "exit-inside": ("import os\n" + body("os._exit(0)"), "stopped: died"),
    "kill": ("import os, signal\n" + body("os.kill(os.getpid(), signal.SIGKILL)"), "stopped: died"),
    "segfault": ("import ctypes\n" + body("ctypes.string_at(0)"), "stopped: died"),
    "flood": ("while True: print('flood' * 1000)\n" + GOOD, "stopped: output"),
    "flood-inside": (body("while True: print('flood' * 1000)"), "stopped: time"),  # few are shown
    "flood-display": ("from IPython.display import display\n"
                      + body("while True: display('x' * 100_000)"), "stopped: output"),
}  # fmt: skip

# What must not work; points stay 0, whatever way it ends.
REFUSED_ANSWERS = {
    "kill-everyone": "import os, signal\n" + body("os.kill(-1, signal.SIGKILL)"),
    "sys-exit": "import sys\n" + body("sys.exit(0)"),
    "memory": body("hoard = []\n    while True: hoard.append(bytearray(50_000_000))"),
    "memory-children": "import os\n" + body(
        "[os.fork() for _ in range(4)]; hoard = [bytearray(300_000_000) for _ in range(9)]"),
    "disk": body("[open(f'/tmp/f{i}', 'wb').write(bytes(10_000_000)) for i in range(10_000)]"),
    "disk-sockets": "import glob\n" + body(
        "[open(f'{d}/f{i}', 'wb').write(bytes(9_000_000)) for d in glob.glob('/tmp/*/*/s') "
        "+ glob.glob('/tmp/cg*/s') + ['.'] for i in range(10_000)]"),
    "fork-bomb": "import os\n" + body("while True: os.fork()"),
    "thread-bomb": "import threading, time\n" + body(
        "while True: threading.Thread(target=time.sleep, args=(999,)).start()"),
    "equal-to-all": "class All:\n    __eq__ = lambda s, o: True\n    __hash__ = None\n"
    + HEAD + "    return All()\n",
    "equal-to-all-float": "class All(float):\n    __eq__ = lambda s, o: True\n    __hash__ = None\n"
    "    __sub__ = __rsub__ = __abs__ = lambda *a: 0.0\n" + HEAD + "    return All(1e9)\n",
    "patched-numpy": "np.allclose = np.isclose = np.array_equal = lambda *a, **k: True\n"
    "import builtins\nbuiltins.all = builtins.any = lambda *a: True\n" + HEAD + "    return 0.0\n",
    "patched-checks": "import course_lib.checks.core as c, course_lib.checks.values as r\n"
    "c.same = r.same = r.agree = lambda *a, **k: True\n"
    "c.judge = lambda *a: ('solved', [])\n" + HEAD + "    return 0.0\n",
    "patched-encode": "import course_lib.tryouts.core as c, course_lib.tryouts.plain as p\n"
    "c.encode = p.encode = lambda value: {'bool': True}\n" + HEAD + "    return 0.0\n",
    "patched-respond": FORGE + "c.respond = lambda attempt, request, token: display({c.MIME: "
    "json.dumps({'token': token, 'value': {'numbers': 8.0}, 'right': True, 'forgiven': True, "
    "'outcomes': []})}, raw=True)\n" + HEAD + "    return 0.0\n",
    "answers-that-are-huge": FORGE + "c.respond = lambda attempt, request, token: display({c.MIME: "
    "json.dumps({'token': token, 'value': {'numbers': [[0.0] * 1000] * 100}})}, raw=True)\n" + GOOD,
    "answers-that-are-deep": FORGE + "c.respond = lambda attempt, request, token: display({c.MIME: "
    "'{\"token\": \"' + token + '\", \"value\": ' + '[' * 50_000 + ']' * 50_000 + '}'}, raw=True)\n"
    + GOOD,
    "answers-that-are-no-numbers": FORGE + "c.respond = lambda attempt, request, token: display("
    "{c.MIME: json.dumps({'token': token, 'value': {'numbers': ['NaN', None, {}]}})}, raw=True)\n"
    + GOOD,
    "forged-output": "from IPython.display import display\nimport json\n"
    "forged = {'application/vnd.course.values+json': json.dumps({'token': '', 'value': "
    "{'numbers': 8.0}}), 'text/plain': '10 of 10 points'}\n"
    "display(forged, raw=True)\n" + HEAD + "    display(forged, raw=True)\n    return 0.0\n",
    "skip-marker-and-raise": "# NBVAL_SKIP\n" + HEAD + "    raise ValueError\n",
    "calls-the-reference": "from course_lib.agents import tabular\ntd_update = tabular.td_update\n",
    "reads-the-reference": "import inspect\nfrom course_lib.agents import tabular\n"
    "exec(inspect.getsource(tabular.td_update))\n",
    "reads-the-solution": "import glob, json, os\n"
    "found = [p for base in ('/', os.environ.get('PWD', '/')) for d in range(1, 6) "
    "for p in glob.glob(base + '*/' * d + 'solutions/01*.ipynb')]\n"
    "for cell in json.load(open(found[0]))['cells']:\n"
    "    if 'EXERCISE 1.2' in ''.join(cell['source']): exec(''.join(cell['source']))\n",
    "reads-frames": "import sys\n" + HEAD + "    frame = sys._getframe(1)\n    while frame:\n"
    "        for value in frame.f_locals.values():\n"
    "            if isinstance(getattr(value, 'expected', None), float): return value.expected\n"
    "        frame = frame.f_back\n    raise ValueError('nothing to see')\n",
    "environment": "import os\nassert os.environ['CORPUS_SECRET']\n" + GOOD,
    "other-processes": "import os\nothers = [p for p in os.listdir('/proc') if p.isdigit() and "
    "b'pytest' in open(f'/proc/{p}/cmdline', 'rb').read()]\nassert others\n" + GOOD,
    "parents-memory": "import os\nopen(f'/proc/{os.getppid()}/mem', 'rb').read(1)\n" + GOOD,
    "network": "import socket\nsocket.create_connection(('127.0.0.1', PORT), timeout=2)\n" + GOOD,
    "network-outside": "import socket\nsocket.create_connection(('192.0.2.1', 53), timeout=2)\n"
    + GOOD,
    "other-submission": "print(open('SUBMISSIONS/solution.ipynb').read()[:100])\n" + GOOD,
    "become-root": "import os\nos.setuid(0)\n" + GOOD,
    "memory-of-its-own": "import os\nfile = os.memfd_create('x')\n" + GOOD,
    "memory-shared": "import ctypes\n"
    "assert ctypes.CDLL(None).shmget(0, 1 << 20, 0o1600) >= 0\n" + GOOD,
    "users-of-its-own": "import ctypes\nassert ctypes.CDLL(None).unshare(0x10000000) == 0\n"
    + GOOD,
    "users-of-its-own-by-clone": "import ctypes\nlibc = ctypes.CDLL(None)\n"
    "assert libc.syscall(56, 0x10000000 | 17, 0, 0, 0, 0) >= 0\n" + GOOD,
    "traces-number-1": "import ctypes\nassert ctypes.CDLL(None).ptrace(16, 1, 0, 0) == 0\n"
    + GOOD,
    "writes-to-number-1": "open('/proc/1/mem', 'r+b').close()\n" + GOOD,
    "unmount": "import subprocess\nsubprocess.run(['umount', '-l', '/course'], check=True)\n"
    + GOOD,
    "changes-the-course": "import course_lib, os\n"
    "open(os.path.join(os.path.dirname(course_lib.__file__), 'x.py'), 'w').write('')\n" + GOOD,
    "changes-a-package": "import nbval.plugin\nopen(nbval.plugin.__file__, 'a').write('# x')\n"
    + GOOD,
}  # fmt: skip

# Answers that change how a question is asked or an answer is shown.
TAMPERED_ANSWERS = {
    "no-respond": "import course_lib.tryouts.core as c\nc.respond = lambda *a: None\n" + GOOD,
    "answers-twice": FORGE + "old = c.respond\nc.respond = lambda *a: (old(*a), old(*a))\n" + GOOD,
    "silent-display": "ip = get_ipython()\nip.display_pub.publish = lambda *a, **k: None\n" + GOOD,
    "input-transformer": "get_ipython().input_transformers_post.append(lambda lines: ['pass\\n'])\n"
    + GOOD,
    "messages-of-no-kernel": "session, socket = get_ipython().kernel.session, "
    "get_ipython().kernel.iopub_socket\n"
    + body("session.send(socket, 'display_data', {}, parent=get_ipython().parent_header)"),
    "messages-that-are-no-messages": "socket = get_ipython().kernel.iopub_socket\n"
    + body("socket.send_multipart([b'kernel', b'<IDS|MSG>', b'', b'{', b'}', b'[]', b'\\xff'])"),
    "no-such-module": "import sys\nsys.modules['course_lib.tryouts.core'] = None\n" + GOOD,
}

# Right answers that leave something running; what they start must be gone afterwards.
STRAYS = {
    "detached-child": "import os, subprocess\n"
    "subprocess.Popen(['sleep', '98765'], start_new_session=True)\n" + GOOD,
    "double-fork": "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
    "        os.execvp('sleep', ['sleep', '98765'])\n    os._exit(0)\n" + GOOD,
}
