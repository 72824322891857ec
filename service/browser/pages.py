"""The two pages, login and terminal, and what they load. All of it is served from here: no page asks anybody else."""

from __future__ import annotations

from html import escape
from string import Template
from typing import Final

__all__ = ["LOGIN_STYLE", "SCREEN_SCRIPT", "SCREEN_STYLE", "login_page", "screen_page"]

_HEAD: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="dark light">
<title>$title</title>
<link rel="icon" href="data:,">
"""

_LOGIN: Final = Template(
    _HEAD
    + """<link rel="stylesheet" href="/static/login.css">
</head>
<body>
<main>
<h1><span aria-hidden="true" class="mark"></span>bulkhead</h1>
<p class="what">The operator's screen. Log in with the name and password of your account here.</p>
$said
<form method="post" action="/login">
<label for="name">Name</label>
<input id="name" name="name" value="$name" autocomplete="username" autocapitalize="none" spellcheck="false"
 maxlength="32" required $name_focus>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" maxlength="1024"
 required $password_focus>
<button type="submit">Log in</button>
</form>
<p class="help">No account yet? Whoever runs this machine adds one: <code>bulkhead user add NAME --role viewer</code></p>
</main>
</body>
</html>
"""
)

_SCREEN: Final = Template(
    _HEAD
    + """<link rel="preload" href="/static/fonts/regular.ttf" as="font" type="font/ttf" crossorigin>
<link rel="stylesheet" href="/static/xterm.css">
<link rel="stylesheet" href="/static/screen.css">
<script src="/static/screen.js" defer></script>
</head>
<body>
<div id="terminal" class="textual-terminal" data-font-size="$font_size" role="application"
 aria-label="the cockpit"></div>
<p id="coming">The cockpit is on its way …</p>
<form id="bar" method="post" action="/logout"><span>$who</span><button type="submit">Log out</button></form>
<div id="over" role="alert" hidden><div><p id="why"></p><button type="button" id="again">Open again</button></div></div>
<button type="button" id="start" hidden></button>
<noscript>The cockpit needs JavaScript: it draws a terminal.</noscript>
</body>
</html>
"""
)


def login_page(*, said: str = "", name: str = "") -> str:
    """Return the page that asks who is there; ``said`` is why it asks again."""
    shown = f'<p class="said" role="alert">{escape(said)}</p>' if said else ""
    focus = {"name_focus": "" if name else "autofocus", "password_focus": "autofocus" if name else ""}
    return _LOGIN.substitute(title="bulkhead: log in", said=shown, name=escape(name), **focus)


def screen_page(*, who: str, font_size: int) -> str:
    """Return the page with the terminal."""
    return _SCREEN.substitute(title="bulkhead", who=escape(who), font_size=font_size)


LOGIN_STYLE: Final = """
:root { --ground: #f4f6f8; --sheet: #ffffff; --ink: #1b2530; --soft: #56636f; --line: #c9d1d9; --act: #1b5fa8;
  --on-act: #ffffff; --wrong: #9b1c1c; --wrong-ground: #fdecec; }
@media (prefers-color-scheme: dark) { :root { --ground: #0e1318; --sheet: #161d24; --ink: #e6ebf0; --soft: #9aa7b4;
  --line: #33404d; --act: #6cb2ff; --on-act: #0b1117; --wrong: #ffb4ab; --wrong-ground: #3a1715; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--ground); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
main { width: min(24rem, calc(100vw - 2rem)); padding: 2rem; background: var(--sheet); border: 1px solid var(--line);
  border-radius: 10px; }
h1 { margin: 0 0 .25rem; font-size: 1.35rem; letter-spacing: .02em; display: flex; align-items: center; gap: .6rem; }
.mark { width: .9rem; height: .9rem; border: 3px solid var(--act); border-right-width: 8px; border-radius: 2px; }
.what, .help { margin: 0 0 1.25rem; color: var(--soft); font-size: .92rem; }
.help { margin: 1.25rem 0 0; }
code { font-size: .86em; overflow-wrap: anywhere; }
.said { margin: 0 0 1.25rem; padding: .6rem .8rem; color: var(--wrong); background: var(--wrong-ground);
  border-left: 4px solid var(--wrong); border-radius: 4px; }
label { display: block; margin: 0 0 .25rem; font-weight: 600; font-size: .92rem; }
input { width: 100%; margin: 0 0 1rem; padding: .6rem .7rem; font: inherit; color: inherit; background: var(--ground);
  border: 1px solid var(--line); border-radius: 6px; }
button { width: 100%; padding: .65rem; font: inherit; font-weight: 600; color: var(--on-act); background: var(--act);
  border: 0; border-radius: 6px; cursor: pointer; }
input:focus-visible, button:focus-visible { outline: 3px solid var(--act); outline-offset: 2px; }
"""

SCREEN_STYLE: Final = """
@font-face { font-family: "Roboto Mono"; src: url("/static/fonts/regular.ttf"); font-weight: 100 700; font-display: block; }
@font-face { font-family: "Roboto Mono"; src: url("/static/fonts/italic.ttf"); font-weight: 100 700; font-style: italic; }
html, body { margin: 0; height: 100%; overflow: hidden; background: #0e1318; color: #e6ebf0;
  font: 14px system-ui, sans-serif; -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
.textual-terminal { position: absolute; inset: 0 0 26px 0; height: calc(100vh - 26px) !important; }
#coming { position: absolute; inset: 40% 0 auto 0; margin: 0; text-align: center; color: #9aa7b4; pointer-events: none; }
.-first-byte #coming { display: none; }
#bar { position: absolute; inset: auto 0 0 0; height: 26px; margin: 0; padding: 0 8px; display: flex; gap: 12px;
  align-items: center; justify-content: flex-end; color: #9aa7b4; font-size: 12px; }
#bar button { padding: 1px 8px; font: inherit; color: inherit; background: none; border: 1px solid #33404d;
  border-radius: 4px; cursor: pointer; }
#bar button:hover, #bar button:focus-visible { color: #e6ebf0; border-color: #6cb2ff; outline: none; }
#over { position: absolute; inset: 0; display: grid; place-items: center; background: rgb(8 12 16 / 80%); z-index: 10; }
#over[hidden] { display: none; }
#over > div { padding: 24px 32px; text-align: center; background: #161d24; border: 1px solid #33404d; border-radius: 10px; }
#over button { padding: 8px 20px; font: inherit; font-weight: 600; color: #0b1117; background: #6cb2ff; border: 0;
  border-radius: 6px; cursor: pointer; }
"""

SCREEN_SCRIPT: Final = """
"use strict";
(() => {
  const SECOND = 1000;
  const COLUMNS = 80, WIDE = 0.6, SMALLEST = 8;  // a letter is so wide, in parts of its height; heights are pixels
  const element = document.getElementById("terminal");
  const scheme = location.protocol === "https:" ? "wss://" : "ws://";
  element.dataset.sessionWebsocketUrl = scheme + location.host + "/ws";
  // A phone is narrower than 80 columns of the usual letters: there they are smaller, as far as they can be read.
  const fitting = Math.floor(window.innerWidth / (COLUMNS * WIDE));
  const wanted = Number(element.dataset.fontSize);
  element.dataset.fontSize = Math.min(wanted, Math.max(SMALLEST, fitting));
  history.replaceState(null, "", "/");  // what stands behind the question mark is not for the terminal

  let leaving = false;  // whoever logs out is not told that they were logged out
  document.getElementById("bar").addEventListener("submit", () => { leaving = true; });

  function over(text) {
    document.getElementById("why").textContent = text;
    document.getElementById("over").hidden = false;
    document.getElementById("again").focus();
  }

  async function ended() {
    if (leaving) { return; }
    try {
      const answer = await fetch("/session", { cache: "no-store" });
      if (answer.status === 401) { location.replace("/login?ended=1"); return; }
      const told = await answer.json();
      over(told.message || "This screen was closed.");
    } catch (error) {
      over("The server does not answer. Trying again.");
      setTimeout(back, 3 * SECOND);
    }
  }

  async function back() {
    try { await fetch("/session", { cache: "no-store" }); location.reload(); }
    catch (error) { setTimeout(back, 3 * SECOND); }
  }

  const seen = new MutationObserver(() => {
    const classes = document.body.classList;
    if (classes.contains("-closed")) { seen.disconnect(); ended(); }
    if (classes.contains("-loaded")) { document.querySelector(".xterm-helper-textarea").focus(); }
  });
  seen.observe(document.body, { attributes: true, attributeFilter: ["class"] });
  document.getElementById("again").addEventListener("click", () => location.reload());

  window.addEventListener("load", async () => {
    const size = element.dataset.fontSize + "px 'Roboto Mono'";
    // The terminal measures its letters once: they must be there before it begins.
    await Promise.all(["", "bold ", "italic "].map((face) => document.fonts.load(face + size)));
    const terminal = document.createElement("script");
    terminal.src = "/static/textual.js";
    terminal.onload = () => window.onload(new Event("load"));
    document.head.append(terminal);
  });
})();
"""
