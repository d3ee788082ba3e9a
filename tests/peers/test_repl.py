# SPDX-License-Identifier: Apache-2.0
"""The interactive session on a real pseudo-terminal."""

import os
import re
import signal
import time

import pexpect
import pytest

from program import PROGRAM, environment, lua


def open_session(folder, *arguments):
    return pexpect.spawn(PROGRAM, list(arguments), encoding="utf-8", timeout=20, dimensions=(40, 120), cwd=str(folder),
                         env=environment({"XDG_STATE_HOME": str(folder), "TERM": "xterm", "LANG": "C.UTF-8"}))


@pytest.fixture
def session(tmp_path):
    child = open_session(tmp_path)
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
    session.expect("\n> ")  # the terminal takes the end of input for a line's before the prompt is there
    session.sendeof()
    session.expect(pexpect.EOF)
    session.close()
    assert session.exitstatus == 0
    again = open_session(tmp_path)
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


def test_tab_completes_option_names_inside_braces(session):
    session.sendline("w = im.image.new(64, 48);")
    session.send("w:resize { mode = 'longer', si\t")
    session.sendline("16 }:width()")
    session.expect("\r\n16\r\n")
    session.send("im.range(1, #im.choice({ 4, 5, 6 }, 2))[2] + #im.sweep { name = 'x', re\t\t")
    session.expect("report = +retry_failed = ")
    session.sendintr()
    session.expect("> ")
    # Over several lines, and not where a value is expected.
    session.sendline("w:resize {")
    session.expect(">> ")
    session.send("mode = 'longer', s\t")
    session.sendline("8 }:height()")
    session.expect("\r\n6\r\n")


def test_pasted_lines_are_taken_as_they_are(session):
    lines = "local t = {\n\tpasted = 40,\n}\nfunction from_paste()\n\treturn 'a\tb', 2\nend"
    session.send("\x1b[200~" + lines.replace("\n", "\r") + "\x1b[201~")
    session.send("\r")
    session.expect("> ")
    session.sendline("(from_paste():gsub('\\t', 'TAB'))")
    session.expect_exact("aTABb")
    session.send("\x1b[200~1 + 41\x1b[201~\r")
    session.expect("\r\n42\r\n")


def test_alt_enter_begins_another_line_of_the_same_statement(session):
    session.send("x = 6\x1b\ry = 7\r")
    session.sendline("x * y")
    session.expect("\r\n42\r\n")


def test_history_is_searched_backwards(session):
    session.sendline("'needle' .. 1")
    session.expect_exact("needle1")
    session.sendline("'hay' .. 2")
    session.expect_exact("hay2")
    session.send("\x12needle")
    time.sleep(0.3)
    session.send("\x1b")
    time.sleep(0.3)
    session.send("\r")
    session.expect_exact("\r\nneedle1\r\n")


def test_the_last_two_results(session):
    session.sendline("20")
    session.expect("\r\n20\r\n")
    session.sendline("1")
    session.expect("\r\n1\r\n")
    session.sendline("_ + __")
    session.expect("\r\n21\r\n")


def test_shell_commands(session, tmp_path):
    (tmp_path / "below").mkdir()
    session.sendline("$ echo $((6 * 7))")
    session.expect("42\r\n")
    session.sendline("$ cd below")
    session.sendline("$ pwd")
    session.expect_exact(str(tmp_path / "below"))
    session.sendline("$ exit 3")
    session.expect_exact("exit status 3")


def test_an_undefined_variable_is_told_but_libraries_are_left_alone(session):
    session.sendline("prnt")
    session.expect_exact("warning: undefined variable 'prnt'; did you mean 'print'?")
    session.expect_exact("nil")
    session.sendline("defined = 1;")
    session.sendline("im.arguments('x', 'y') and defined")
    session.expect("\r\n1\r\n")
    assert "warning" not in session.before


def test_question_mark_alone_gives_the_overview(session):
    session.sendline("?")
    session.expect_exact("im.<table>.<function>; ?table lists it")
    session.expect("render +")


def test_cycles_and_depth(session):
    session.sendline("a = { b = { c = { d = { e = { 1 } , f = 1 } } } }; a.self = a;")
    session.sendline("a")
    session.expect_exact("{ b = { c = { d = { e = {...}, f = 1 } } }, self = <cycle> }")


def test_a_picture_is_shown_in_half_blocks(session):
    session.sendline("im.image.new(4, 2)")
    session.expect_exact("Image(4x2")
    session.expect_exact("\x1b[38;2;0;0;0m\x1b[48;2;0;0;0m▀")


def test_it_survives_a_resize(session):
    session.sendline("im.terminal_size().columns")
    session.expect("\r\n120\r\n")
    session.setwinsize(30, 60)
    session.sendline("im.terminal_size().columns")
    session.expect("\r\n60\r\n")
    session.send("'" + "x" * 70 + "'")
    session.setwinsize(30, 90)
    session.sendline(":len()")
    session.expect("\r\n")
    session.sendline("('" + "y" * 75 + "'):len()")
    session.expect("\r\n75\r\n")


def test_a_session_inside_of_a_script_sees_and_changes_its_variables(tmp_path):
    (tmp_path / "inside.lua").write_text("""
      local im = require "imatch"
      local outer = 10
      local function work(parameter)
        local hidden = 1
        local hidden = parameter * 2
        local unset
        im.repl()
        print("after", hidden, outer, unset)
      end
      work(21)
    """)
    child = open_session(tmp_path, "inside.lua")
    child.expect_exact("The script waits")
    child.expect("> ")
    child.sendline("hidden, parameter, outer")
    child.expect("\r\n42\r\n21\r\n10\r\n")
    child.sendline("hidden = hidden + 1; outer = 'changed'; unset = true; other = 5")
    child.sendline("hidd\t")
    child.expect("\r\n43\r\n")
    child.expect("> ")
    child.sendeof()
    child.expect_exact("after\t43\tchanged\ttrue")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_pictures_by_sixel_and_kitty(tmp_path):
    """Both are read back and compared with the picture, by what their descriptions say."""
    script = "local i = im.image.new(%d, %d, { 255, 0, 0 }) io.write(require('imatch.preview').text(i, '%s'))"
    out = lua(script % (9, 7, "sixel"))
    assert out.startswith("\x1bP") and out.endswith("\x1b\\\n") and '"1;1;9;7' in out
    bands = re.fullmatch(r"#0;2;9\d;0;0(.*)", out[len('\x1bPq"1;1;9;7'):-3]).group(1).split("-")
    assert [re.sub(r"#\d", "", band) for band in bands] == ["!9~", "!9@"]  # six rows, then one
    import base64
    import io
    from PIL import Image
    out = lua(script % (300, 200, "kitty"))
    chunks = out.strip("\n").split("\x1b\\")[:-1]
    assert chunks[0].startswith("\x1b_Ga=T,f=100,m=")
    picture = Image.open(io.BytesIO(base64.b64decode("".join(chunk.split(";", 1)[1] for chunk in chunks))))
    assert picture.size == (300, 200) and picture.convert("RGB").getpixel((5, 5)) == (255, 0, 0)


def test_a_local_of_a_line_lives_on(session):
    """What stands in the README's first script, typed line by line."""
    session.sendline("local first = 20")
    session.sendline("first + 1")
    session.expect("\r\n21\r\n")
    session.sendline("local function double(x) local y = 2 * x; return y end")
    session.sendline("double(first)")
    session.expect("\r\n40\r\n")
    session.sendline("first = 30; local a, b; a = first + 1")
    session.sendline("a, b")
    session.expect("\r\n31\r\nnil\r\n")
    session.sendline("rawget(_G, 'first'), y")
    session.expect("nil\r\nnil\r\n")
    session.sendline("local nothing")
    session.sendline("print(nothing)")
    session.expect("\r\nnil\r\n")
    assert "warning" not in session.before.split("print(nothing)")[-1]
    session.send("fir\t")
    session.sendline(" + 2")
    session.expect("\r\n32\r\n")


@pytest.mark.parametrize("word", ["quit", "exit", "exit()", "quit()"])
def test_words_that_leave(session, word):
    session.sendline(word)
    session.expect(pexpect.EOF)
    session.close()
    assert session.exitstatus == 0


def test_help_lists_what_there_is(session):
    session.sendline("help")
    session.expect("a local of a line stays a variable")
    session.expect("Pairs of pictures")
    session.expect("  match +two pictures")
    session.sendline("help = 5")
    session.sendline("help")
    session.expect("\r\n5\r\n")


def test_tab_inside_of_an_unfinished_call(session):
    """Options of the backbone that is named, its name, choices, methods of what stands in a list."""
    session.send("im.backbone.features(x, 'efficientnet_lite0', { st\t\t")
    session.expect("stage = +stages = ")
    session.sendintr()
    session.expect("> ")
    session.send("im.backbone.open('dense_s\t")
    session.sendline("'):stride() * 111")
    session.expect("\r\n888\r\n")
    session.sendline("list = { im.image.new(7, 5) };")
    session.send("list[1]:wid\t")
    session.sendline(")")
    session.expect("\r\n7\r\n")
    session.send("im.match.geometry(m, { model = '\t\t")
    session.expect("affine +homography +similarity")
    session.sendintr()


def test_question_mark_explains_backbones(session):
    session.sendline("?efficientnet_lite0")
    session.expect("Options:")
    session.expect("stage +integer in .8, 32.")


def test_what_is_not_there_is_told(session):
    session.sendline("im.imge")
    session.expect_exact("im has no 'imge'; did you mean 'image'?")
    session.sendline("im.image.new")
    session.expect_exact("function im.image.new(")
    session.sendline("{ io.stdout, function() end }")
    session.expect_exact("{ file, function (stdin:1) }")
