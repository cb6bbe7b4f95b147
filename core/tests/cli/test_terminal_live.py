"""Terminal on a real pseudo-terminal: keys, lines, live regions, and giving everything back on every way out."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from lerobot_core.errors import UserError
from lerobot_core.terminal import Terminal
from pseudo_terminal import Glass, PseudoTerminal

pytestmark = pytest.mark.skipif(not hasattr(os, "login_tty"), reason="needs POSIX job control")

LISTEN = """
    import os, signal, sys, threading
    from lerobot_core.terminal import Key, current
    terminal, over = current(), threading.Event()
    def hear(event):
        terminal.say(f"<{event.name if isinstance(event, Key) else 'line ' + event.text}>")
        if event == Key("q") or event == Key("hangup"):
            over.set()
    listener = terminal.listen(hear)
    terminal.say("ready")
"""
WAIT = LISTEN + "    over.wait()\n"


def test_keys_arrive_as_pressed_and_the_terminal_is_given_back() -> None:
    with PseudoTerminal(WAIT + "    listener.close()\n    print('over', terminal.keys)") as pty:
        pty.expect("ready")
        assert pty.raw
        for sent, name in (
            (b"s", "s"),
            (b" ", "space"),
            (b"\x1b[C", "right"),
            (b"\x1bOD", "left"),
            (b"\x1c", "ctrl-\\"),
        ):
            pty.send(sent)
            pty.expect(f"<{name}>")
        pty.send(b"q")
        pty.expect("over True")
        assert pty.report() == "ended 0"
        assert pty.cooked


def test_escape_alone_is_heard_without_another_key() -> None:
    with PseudoTerminal(WAIT) as pty:
        pty.expect("ready")
        pty.send(b"\x1b")
        pty.expect("<esc>")


def test_slash_opens_a_line_that_echoes_and_edits() -> None:
    with PseudoTerminal(WAIT) as pty:
        pty.expect("ready")
        pty.send(b"/")
        pty.expect("enter sends, esc cancels")
        pty.send(b"pick the qube\x1b[D\x1b[D\x1b[D\x7fc\r")
        pty.expect("<line pick the cube>")
        assert "<p>" not in pty.output
        pty.send(b"/q\x1b")
        pty.send(b"s")
        pty.expect("<s>")
        assert "<q>" not in pty.output
        assert "<esc>" not in pty.output


def test_stop_now_works_while_a_line_is_open() -> None:
    with PseudoTerminal(WAIT) as pty:
        pty.expect("ready")
        pty.send(b"/abc\x1c")
        pty.expect("<ctrl-\\>")


def test_the_newest_listener_hears_alone() -> None:
    script = (
        LISTEN
        + """
    inner = terminal.listen(lambda event: terminal.say(f"inner {event.name}"))
    terminal.say("two")
    with terminal.listen(lambda event: (terminal.say(f"innermost {event.name}"), over.set()), lines=False):
        over.wait()
    inner.close(); over.clear(); terminal.say("one")
    over.wait()
    """
    )
    with PseudoTerminal(script) as pty:
        pty.expect("two")
        pty.send(b"/")
        pty.expect("innermost /")
        pty.expect("one")
        pty.send(b"s")
        pty.expect("<s>")
        assert "inner s" not in pty.output


def test_a_handler_that_raises_costs_one_line() -> None:
    script = (
        LISTEN
        + """
    terminal.listen(lambda event: 1 / 0)
    terminal.say("two")
    over.wait()
    """
    )
    with PseudoTerminal(script) as pty:
        pty.expect("two")
        pty.send(b"ss")
        pty.expect("a key handler failed: ZeroDivisionError: division by zero")
        pty.expect("a key handler failed")


# --- regions --------------------------------------------------------------------------------------------------------

VIEW = (
    LISTEN
    + """
    with terminal.view("a") as a, terminal.view("b") as b:
        for step in range(200):
            a.update([f"step {step} " + "wide " * 60])
            b.update(["colour " + terminal.style("red", "red"), "b"])
            if step % 100 == 0:
                terminal.say(f"said {step}")
        over.wait()
    listener.close()
    print("{'json': 'last'}")
    """
)


@pytest.mark.parametrize("columns", [80, 200])
def test_regions_are_redrawn_in_place_and_cut_to_the_width(columns: int) -> None:
    with PseudoTerminal(VIEW, columns) as pty:
        pty.expect("step 199")
        pty.send(b"q")
        pty.expect("last'}")
        glass = Glass(columns)
        glass.feed(pty.output)
    assert glass.lines[:5] == ["ready", "said 0", "said 100", "<q>", "{'json': 'last'}"], "regions are gone by then"
    cut = re.findall(r"step 199 .*…", pty.output)
    assert cut
    assert all(len(line) == columns - 1 for line in cut)


def test_colour_is_left_out_when_asked() -> None:
    with PseudoTerminal(VIEW, environ={"NO_COLOR": "1"}) as pty:
        assert "\x1b[31m" not in pty.expect("step 199") + pty.expect("red")
    with PseudoTerminal(VIEW) as pty:
        assert "\x1b[31m" in pty.expect("step 199") + pty.expect("red")


def test_a_dumb_terminal_gets_plain_lines() -> None:
    with PseudoTerminal(VIEW, environ={"TERM": "dumb"}) as pty:
        pty.expect("ready")
        pty.send(b"q")
        pty.expect("last")
        assert "\x1b" not in pty.output


def test_drawing_is_at_most_ten_times_a_second() -> None:
    script = """
    import time
    from lerobot_core.terminal import current
    terminal, began, drawn = current(), time.monotonic(), 0
    draw = terminal._screen.draw
    def counted(*args):
        global drawn
        drawn += 1
        draw(*args)
    terminal._screen.draw = counted
    with terminal.view("a") as a:
        while (elapsed := time.monotonic() - began) < 0.5:
            a.update([f"{elapsed}"])
    print("drawn", drawn <= 7, drawn)
    """
    with PseudoTerminal(script) as pty:
        assert "drawn True" in pty.expect("True")


def test_a_resized_terminal_is_used_in_full() -> None:
    script = (
        LISTEN
        + """
    region = terminal.view("wide")
    region.update(["x" * 300])
    over.wait()
    """
    )
    with PseudoTerminal(script, 80) as pty:
        pty.expect("x" * 78 + "…")
        pty.resize(200, 24)
        pty.send(b"s")
        pty.expect("x" * 198 + "…")
        pty.resize(60, 24)
        pty.send(b"s")
        pty.expect("\x1b[4A\r\x1b[J<s>\r\n" + "x" * 58 + "…")


def test_progress_shows_a_bar_and_leaves_one_line() -> None:
    script = (
        LISTEN
        + """
    with terminal.progress(4, "copying", "files") as bar:
        bar.advance(2)
        over.wait()
        bar.update(4)
    terminal.say("end")
    """
    )
    with PseudoTerminal(script) as pty:
        pty.expect("copying " + "━" * 20 + "─" * 20 + "  50%  2/4 files")
        pty.send(b"q")
        pty.expect("copying: 4/4 files in ")
        pty.expect("end")


def test_a_stalled_terminal_holds_nobody_up(tmp_path: Path) -> None:
    fifo = tmp_path / "said"
    os.mkfifo(fifo)
    script = (
        LISTEN
        + f"""
    for line in range(1000):
        terminal.say("x" * 1000)
    open({str(fifo)!r}, "w").close()
    """
    )
    with PseudoTerminal(script) as pty:
        fifo.open().close()
        assert "x" not in pty.output, "nobody has read a byte yet"
        assert pty.report() == "ended 0"
        assert pty.cooked


# --- questions ------------------------------------------------------------------------------------------------------


def test_questions_are_answered_by_one_key() -> None:
    script = """
    from lerobot_core.terminal import current
    current().wait_person("move the arm to the middle")
    print("answer", current().confirm("drop the arm?"))
    """
    with PseudoTerminal(script) as pty:
        pty.expect("move the arm to the middle, then press enter")
        pty.send(b"x/\r")
        pty.expect("drop the arm? [y/n]")
        pty.send(b"Y")
        pty.expect("answer True")
        assert pty.report() == "ended 0"
        assert pty.cooked


def test_somebody_may_look_on_while_a_person_works() -> None:
    script = """
    from lerobot_core.terminal import current
    looks = []
    def look():
        looks.append(1)
        if len(looks) == 5:
            current().say("looked")
    current().watch_person("move every joint", look)
    print("looks", len(looks) >= 5)
    """
    with PseudoTerminal(script) as pty:
        pty.expect("move every joint, then press enter")
        pty.expect("looked")
        pty.send(b"\r\r")
        pty.expect("looks True")


def test_ctrl_c_leaves_a_question() -> None:
    script = """
    from lerobot_core.terminal import current
    current().wait_person("wait")
    """
    with PseudoTerminal(script) as pty:
        pty.expect("then press enter")
        pty.send(b"\x03")
        pty.expect("KeyboardInterrupt")
        assert pty.report().startswith("ended")
        assert pty.cooked


@pytest.mark.parametrize("environ", [{"CI": "true"}, {"TERM": "dumb"}])
def test_in_ci_nobody_is_asked(environ: dict[str, str]) -> None:
    script = """
    from lerobot_core.terminal import current
    current().confirm("erase?")
    """
    with PseudoTerminal(script, environ=environ) as pty:
        pty.expect("a person is needed: erase?")
        pty.expect("add --yes")


def test_piped_a_question_is_an_error_with_its_fix() -> None:
    terminal = Terminal(stdin=-1, environ={})
    with pytest.raises(UserError, match="a person is needed: move it, then press enter"):
        terminal.wait_person("move it")
    with pytest.raises(UserError, match="stdin is no terminal"):
        terminal.listen(lambda event: None)


# --- ways out -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("end", "code"),
    [
        ("", 0),
        ("sys.exit(3)", 3),
        ("raise RuntimeError('crash')", 1),
        ("os.kill(os.getpid(), signal.SIGTERM)", -signal.SIGTERM),
        ("os.kill(os.getpid(), signal.SIGHUP)", -signal.SIGHUP),
        ("os.kill(os.getpid(), signal.SIGINT)", -signal.SIGINT),
        ("threading.Thread(target=lambda: 1 / 0).start()", 0),
        ("terminal.restore()\n    os._exit(9)", 9),
        ("os.close(0)", 0),
        ("terminal.close()\n    terminal.say('closed')\n    terminal.listen(hear)", 0),
    ],
)
def test_the_terminal_is_given_back_however_the_process_ends(end: str, code: int) -> None:
    script = LISTEN + f"    terminal.view('v').update(['a region'])\n    print('ending')\n    {end}\n"
    with PseudoTerminal(script) as pty:
        pty.expect("ending")
        assert pty.report() == f"ended {code}"
        assert pty.cooked


def test_a_crash_removes_regions_before_its_traceback() -> None:
    script = (
        LISTEN
        + """
    terminal.view("v").update(["a region"])
    over.wait()
    raise RuntimeError("crash")
    """
    )
    with PseudoTerminal(script) as pty:
        pty.expect("a region")
        pty.send(b"q")
        pty.expect("RuntimeError: crash")
        glass = Glass(80)
        glass.feed(pty.output)
        assert "a region" not in "\n".join(glass.lines)
        assert "Traceback (most recent call last):" in glass.lines


def test_a_run_that_handles_sigterm_itself_keeps_its_handler() -> None:
    script = (
        """
    import signal
    signal.signal(signal.SIGTERM, lambda *_: print("mine"))
    """
        + LISTEN
        + """
    os.kill(os.getpid(), signal.SIGTERM)
    """
    )
    with PseudoTerminal(script) as pty:
        pty.expect("mine")
        assert pty.report() == "ended 0"


def test_ctrl_z_gives_the_terminal_to_the_shell_and_fg_takes_it_back() -> None:
    script = (
        LISTEN
        + """
    region = terminal.view("v")
    region.update(["a region"])
    over.wait()
    """
    )
    with PseudoTerminal(script) as pty:
        pty.expect("a region")
        for _ in range(2):
            pty.send(b"\x1a")
            assert pty.report() == "stopped"
            assert pty.cooked
            pty.forget()
            pty.resume()
            pty.expect("a region")
            assert pty.raw
            pty.send(b"s")
            pty.expect("<s>")
        pty.send(b"q")
        assert pty.report() == "ended 0"
        assert pty.cooked


def test_in_the_background_it_says_but_neither_reads_nor_draws() -> None:
    script = (
        LISTEN
        + """
    region = terminal.view("v")
    region.update(["a region"])
    signal.signal(signal.SIGUSR1, lambda *_: terminal.say(f"pid {os.getpid()}"))
    signal.raise_signal(signal.SIGUSR1)
    over.wait()
    """
    )
    with PseudoTerminal(script) as pty:
        pty.expect("pid ")
        pid = int(pty.expect("\n"))
        pty.send(b"\x1a")
        assert pty.report() == "stopped"
        pty.forget()
        pty.resume(b"bg")
        os.kill(pid, signal.SIGUSR1)
        assert "a region" not in pty.expect(f"pid {pid}")
        assert pty.cooked
        pty.resume()
        pty.expect("a region")
        assert pty.raw
        pty.send(b"q")
        assert pty.report() == "ended 0"


def test_a_terminal_that_goes_away_is_heard(tmp_path: Path) -> None:
    fifo = tmp_path / "heard"
    os.mkfifo(fifo)
    script = (
        LISTEN
        + f"    signal.signal(signal.SIGHUP, signal.SIG_IGN)\n    open({str(fifo)!r}, 'w').close() if over.wait() else 0"
    )
    with PseudoTerminal(script) as pty:
        pty.expect("ready")
        pty.hang_up()
        fifo.open().close()


def test_without_a_terminal_nothing_posix_is_imported() -> None:
    script = (
        "import sys; from lerobot_core.terminal import current; t = current(); t.say('x'); t.progress(2, 'p').close(); "
    )
    script += "print(sorted({'termios', 'tty', 'rich', 'numpy', 'fcntl', 'pty'} & {*sys.modules}))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=True
    )
    assert done.stdout == "[]\n"
    assert done.stderr == "x\np: 0/2 in 0 s\n"
