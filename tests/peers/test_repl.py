"""The interactive session on a real pseudo-terminal."""

import os
import signal
import time

import pexpect
import pytest

PROGRAM = os.environ.get("IMATCH_LUA", os.path.join(os.path.dirname(__file__), "../../build/imatch-lua"))


@pytest.fixture
def session(tmp_path):
    environment = dict(os.environ, XDG_STATE_HOME=str(tmp_path), TERM="xterm", LANG="C.UTF-8")
    child = pexpect.spawn(PROGRAM, env=environment, encoding="utf-8", timeout=20, dimensions=(40, 120), cwd=str(tmp_path))
    child.expect("Ctrl-D leaves")
    child.expect("> ")
    yield child
    child.close(force=True)


def test_expressions_are_printed_and_remembered(session):
    session.sendline("6 * 7")
    session.expect("42")
    session.sendline("_ + 1")
    session.expect("43")
    session.sendline("x = 5;")
    session.sendline("x")
    session.expect("\r\n5\r\n")


def test_an_unfinished_line_continues(session):
    session.sendline("for i = 1, 2 do")
    session.expect(">> ")
    session.sendline("print('line ' .. i * 10)")
    session.expect(">> ")
    session.sendline("end")
    session.expect("line 10")
    session.expect("line 20")


def test_tensors_show_shape_and_range_not_numbers(session):
    session.sendline("im.tensor.from_table { { 1, 2 }, { 3, 6 } }")
    session.expect_exact("Tensor(2x2 float32 cpu, min 1 mean 3 max 6)")


def test_tab_completes_names_methods_and_files(session, tmp_path):
    # The editor redraws with cursor movements: what was completed is seen by evaluating it.
    session.send("im.tens\t")
    session.sendline(".from_table({ 7, 5 }):max()")
    session.expect("\r\n7\r\n")
    session.sendline("t = im.tensor.from_table { 1, 2, 3 };")
    session.send("t:nume\t")
    session.sendline(")")
    session.expect("\r\n3\r\n")
    (tmp_path / "orthophoto_of_field.tif").write_bytes(b"")
    session.send("'<' .. 'orthop\t")
    session.sendline("' .. '>'")
    session.expect_exact("<orthophoto_of_field.tif>")


def test_question_mark_explains(session):
    session.sendline("?tensor.from_table")
    session.expect_exact("tensor.from_table(list) -> Tensor")
    session.sendline("?nonsense_name")
    session.expect_exact("no documentation for 'nonsense_name'")


def test_an_error_and_ctrl_c_leave_the_session_alive(session):
    session.sendline("error 'on purpose'")
    session.expect("on purpose")
    session.expect("> ")
    session.sendline("while true do end")
    session.expect_exact("do end\r\n")
    session.sendintr()
    session.expect("interrupted")
    session.sendline("im.sleep(60)")
    session.expect_exact("(60)\r\n")
    session.sendintr()
    session.expect("interrupted")
    session.sendline("'still ' .. 'here'")
    session.expect_exact("still here")
    session.send("half a line")
    session.expect_exact("half a line")  # the terminal throws away what is still on its way when Ctrl-C comes
    session.sendintr()
    session.expect("\n[^\n]*> ")
    session.sendline("1 + 1")
    session.expect("\r\n2\r\n")


def test_history_is_kept_between_sessions(session, tmp_path):
    session.sendline("'remember' .. ' me'")
    session.expect_exact("remember me")
    session.sendeof()
    session.expect(pexpect.EOF)
    session.close()
    assert session.exitstatus == 0
    environment = dict(os.environ, XDG_STATE_HOME=str(tmp_path), TERM="xterm", LANG="C.UTF-8")
    again = pexpect.spawn(PROGRAM, env=environment, encoding="utf-8", timeout=20)
    again.expect("> ")
    again.send("\x1b[A\r")
    again.expect_exact("remember me")
    again.close(force=True)


def test_a_second_ctrl_c_kills(session):
    # Waiting for a child is restarted by the C library: neither Lua nor a loop of ours hears the first one.
    session.sendline("print 'waiting' io.popen('sleep 20'):close()")
    session.expect_exact("\r\nwaiting")
    time.sleep(0.5)
    os.kill(session.pid, signal.SIGINT)
    time.sleep(0.5)
    assert session.isalive()
    os.kill(session.pid, signal.SIGINT)
    session.expect(pexpect.EOF)
    session.close()
    assert session.signalstatus == signal.SIGINT
