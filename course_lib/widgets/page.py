"""What no widget does for the page: a name for a slider, keys for a maze and for a board.

A page that does not run the scripts (a print, a viewer without JavaScript) loses no more than that.
"""

from IPython.display import display

# The scripts look for what they belong to for ten seconds: a widget may be drawn after them.
_OFTEN = """(() => {{
let tries = 0;
const timer = setInterval(() => {{ {0}; if (++tries > 40) clearInterval(timer); }}, 250);
}})();"""

_NAMES = """document.querySelectorAll('.widget-slider').forEach(slider => {
  const label = slider.querySelector('label'), handle = slider.querySelector('[role=slider]');
  if (label && handle) handle.setAttribute('aria-label', label.textContent);
  const number = slider.querySelector('.widget-readout');
  if (label && number) number.setAttribute('aria-label', label.textContent + ', as a number');
})"""

# A window hears keys before JupyterLab does. Only a move's own keys are taken, without Ctrl, Alt or
# Meta; Enter and Space are left to the browser, which presses the button. One press at a time: the
# next counts when the page has shown what the last one did, or after a second.
_KEYS = """document.querySelectorAll('.course-maze:not([data-wired])').forEach(box => {
  const map = box.querySelector('.course-maze-map'), said = box.querySelector('.course-maze-said');
  const buttons = box.querySelectorAll('button');
  if (!map || !said || buttons.length < 4) return;
  box.dataset.wired = 'yes';
  said.setAttribute('aria-live', 'polite');
  map.tabIndex = 0;
  map.setAttribute('role', 'application');
  map.setAttribute('aria-label', 'Maze: the arrow keys, or W, A, S, D, move the mouse');
  map.addEventListener('mousedown', event => { event.stopPropagation(); map.focus(); });
  let before = null, sent = 0;
  window.addEventListener('keydown', event => {
    if (!box.contains(event.target) || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === 'Enter' || event.key === ' ') { event.stopImmediatePropagation(); return; }
    const move = MOVES[event.key.length > 1 ? event.key : event.key.toLowerCase()];
    if (move === undefined) return;
    event.preventDefault(); event.stopImmediatePropagation();
    if (said.textContent === before && performance.now() - sent < 1000) return;
    before = said.textContent; sent = performance.now();
    buttons[move].click();
  }, true);
})"""
_MOVES = "{ArrowUp: 0, ArrowRight: 1, ArrowDown: 2, ArrowLeft: 3, w: 0, d: 1, s: 2, a: 3}"

_SQUARES = """document.querySelectorAll('.course-board:not([data-wired])').forEach(box => {
  const said = box.querySelector('.course-board-said'), buttons = box.querySelectorAll('button');
  if (!said || buttons.length < 9) return;
  box.dataset.wired = 'yes';
  said.setAttribute('aria-live', 'polite');
  window.addEventListener('keydown', event => {
    if (!box.contains(event.target) || event.ctrlKey || event.altKey || event.metaKey) return;
    const square = '123456789'.indexOf(event.key);
    if (event.key !== 'Enter' && event.key !== ' ' && square < 0) return;
    event.stopImmediatePropagation();
    if (square >= 0) { event.preventDefault(); buttons[square].click(); }
  }, true);
})"""


def name_sliders() -> None:
    """Give each slider's handle its label as a name, for those who hear the page."""
    _run(_NAMES)


def take_keys() -> None:
    """Let the arrow keys and W, A, S, D press the first four buttons of each maze on the page."""
    _run(_KEYS.replace("MOVES", _MOVES))


def take_board_keys() -> None:
    """Let the keys 1 to 9 press the squares of each board on the page."""
    _run(_SQUARES)


def _run(script: str) -> None:
    display({"application/javascript": _OFTEN.format(script), "text/plain": ""}, raw=True)
