# SPDX-License-Identifier: Apache-2.0
"""What users of containers and packages hold: the compose file, the words they type, versions, workflows. The image and the packages
themselves are built and run by docker/test_image.sh and packaging/test_packages.sh, which take longer than a test may."""

import json
import os
import re
import shutil
import stat
import subprocess
import sys
import zipfile

import pytest
import yaml

import program
from program import ROOT

WORD = ROOT / "docker/words/word"
MOUNTS = {"PROJECT_HOST": ("/workspace/project", False), "CODE_HOST": ("/workspace/dinov3", False),
          "WEIGHTS_HOST": ("/workspace/weights", True), "DATASET_HOST": ("/opt/datasets", True),
          "REFERENCE_HOST": ("/opt/references", False), "EXPORT_HOST": ("/exports", False)}


def schema_check(schema, *files):
    done = subprocess.run([sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *map(str, files)],
                          capture_output=True, text=True, check=False)
    if "No module named" in done.stderr:
        pytest.skip("check-jsonschema is not installed")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_compose_file_is_what_its_schema_asks_and_the_guides_promise():
    schema_check("vendor.compose-spec", ROOT / "docker-compose.yml")
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    assert set(compose["services"]) == {"matching", "app", "matching-gpu", "app-gpu", "redis"}
    for name in ("matching", "app", "matching-gpu", "app-gpu"):
        service = compose["services"][name]
        assert service["command"] == "sleep infinity" and service["read_only"] and service["cap_drop"] == ["ALL"]
        binds = {re.match(r"\$\{(\w+):\?", v["source"])[1]: (v["target"], v.get("read_only", False))
                 for v in service["volumes"] if isinstance(v, dict)}
        assert binds == MOUNTS
        assert all(v["bind"] == {"create_host_path": False} for v in service["volumes"] if isinstance(v, dict))
        assert "cache:/cache" in service["volumes"]
        assert (service.get("profiles") == ["gpu"]) == ("deploy" in service) == name.endswith("-gpu")
    assert compose["services"]["redis"]["healthcheck"] and compose["services"]["redis"]["volumes"]
    example = (ROOT / ".env.example").read_text()
    for name in MOUNTS:
        assert re.search(rf"^{name}=/", example, re.M) and re.search(rf"^#{name}=[A-Z]:\\", example, re.M)


def test_the_workflows_are_what_their_schema_asks():
    schema_check("vendor.github-workflows", *(ROOT / ".github/workflows").glob("*.yml"))


def test_there_is_one_version():
    version = re.search(r"VERSION (\d+\.\d+\.\d+)", (ROOT / "CMakeLists.txt").read_text())[1]
    assert program.run("--version").stdout.split()[1] == version
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == version
    assert f'version = "{version}"' in (ROOT / "python/pyproject.toml").read_text()
    assert re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.M)[1] == version


@pytest.fixture
def words(tmp_path):
    """The words, with a program in place of imatch-lua that says how it was called."""
    folder = tmp_path / "words"
    folder.mkdir()
    shutil.copy(WORD, folder / "word")
    listed = subprocess.run([folder / "word", "--list"], capture_output=True, text=True, check=True).stdout.split()
    for name in listed:
        (folder / name).symlink_to("word")
    fake = folder / "imatch-lua"
    fake.write_text('#!/bin/bash\nprintf "%s\\n" "$*"\n')
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)

    def call(name, *arguments, status=0, **environment):
        done = subprocess.run([folder / name, *arguments], capture_output=True, text=True, cwd=tmp_path, check=False,
                              env={"PATH": f"{folder}:{os.environ['PATH']}", **environment})
        assert done.returncode == status, done.stderr
        return done.stdout.strip() if status == 0 else done.stderr
    return call


def test_words_are_commands(words, tmp_path):
    assert words("run", "--weights", "vitl16", "-a", "400.0200") == "run --weights vitl16 -a 400.0200"
    assert words("patchcore-trainer", "--data-dir", "/workspace/data") == "patchcore train --data-dir /workspace/data"
    assert words("python", "run.py", "-w", "vits16") == "run -w vits16"
    assert "no Python" in words("python", "other.py", status=127)
    (tmp_path / "json").mkdir()
    assert "no json/data_key.json" in words("run_manifest.py", "--manifest", "json/manifest.json", status=2)
    (tmp_path / "json/data_key.json").write_text("{}")
    assert words("python", "run_manifest.py", "--manifest", "json/manifest.json", EMBED_ROOT="/exports/e") == \
        "embed --manifest json/manifest.json --data-key json/data_key.json --embed-root /exports/e"
    assert words("run_manifestQuery.py", "--manifest", "json/manifest.json", EMBED_ROOT="/exports/e") == \
        "embed --manifest json/manifest.json --data-key json/data_key.json"
    assert words("match_faiss_gpu.py") == "search --direction reference-data"
    assert words("faiss_4Redis.py", "--dataset", "jamshill", "--weights", "vitb16", "vits16", "--k", "5", "--match", "data-reference",
                 "--progress") == "search --direction data-reference --weight vitb16 --weight vits16 -k 5 --redis-json"
    assert "unknown option" in words("run_manifest.py", "--other", status=2)


def test_every_word_is_a_command_that_is_there():
    commands = {path.stem for path in (ROOT / "lua/imatch/command").glob("*.lua")}
    listed = subprocess.run([WORD, "--list"], capture_output=True, text=True, check=True).stdout.split()
    expected = {"run", "run2", "vis", "embed", "reference", "search", "evaluate", "localize", "doctor"}
    assert expected <= commands & set(listed)


def test_a_trainer_is_started_as_its_guide_says(tmp_path):
    docker = tmp_path / "docker"
    docker.write_text('#!/bin/bash\nprintf "%s\\n" "$*" >>"$LOG"\n[[ $1 != create ]] || echo made\n')
    docker.chmod(0o755)
    log = tmp_path / "log"
    script = [ROOT / "docker/docker_run_with_data.sh"]
    env = {**os.environ, "DOCKER": str(docker), "LOG": str(log)}

    def call(*arguments, status=0):
        log.write_text("")
        done = subprocess.run([*script, *arguments], env=env, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == status, done.stderr
        return log.read_text().splitlines(), done.stderr
    assert "no such folder: data" in call("data", "weights", status=1)[1]
    (tmp_path / "data").mkdir()
    _, mounted = call("data", "weights", "screws", "--coreset-ratio", "0.01")[0]
    owner = f"--user {os.getuid()}:{os.getgid()}"
    assert owner in mounted and f"-v {tmp_path}/data:/workspace/data:ro" in mounted and f"-v {tmp_path}/weights:/workspace/output" in mounted
    assert mounted.endswith("patchcore-trainer patchcore-trainer --data-dir /workspace/data --output /workspace/output "
                            "--pattern-name screws --coreset-ratio 0.01")
    _, created, copied, started, removed = call("data", "weights", "--copy")[0]
    assert created.startswith("create ") and "/workspace/data:ro" not in created and created.endswith("--pattern-name model")
    assert copied == f"cp {tmp_path}/data/. made:/workspace/data" and started == "start -a made" and removed == "rm -f made"


def test_doctor(tmp_path):
    photos, exports = tmp_path / "photos", tmp_path / "exports"
    photos.mkdir()
    exports.mkdir()
    env = {"DATASET_HOST": str(photos), "EXPORT_HOST": str(exports), "WEIGHTS_ROOT": str(tmp_path / "none"), "WEIGHTS_HOST": None,
           "REDIS_URL": "redis://127.0.0.1:1", "REFERENCE_HOST": None}
    found = json.loads(program.run("doctor", "--json", env=env, status=1).stdout)
    by_name = {row["check"]: row for row in found}
    assert by_name["network"]["status"] == by_name["faiss"]["status"] == by_name["cache"]["status"] == "ok"
    assert by_name["weights folder"]["status"] == "failure" and "no such folder" in by_name["weights folder"]["what"]
    assert by_name["images"]["status"] == "warning" and "pairs_to_run=0" in by_name["images"]["advice"]
    assert by_name["redis"]["status"] == "warning" and by_name["results"]["status"] == "ok"
    (photos / "S_300_0001.jpg").write_bytes(b"")
    env["WEIGHTS_ROOT"] = env["REDIS_URL"] = None
    done = program.run("doctor", env=env)
    assert re.search(r"^ok\s+images\s+1 images", done.stdout, re.M)
    assert all(row["status"] == "ok" for row in json.loads(program.run("doctor", "--health", "--json").stdout))


def test_a_wheel_holds_what_its_record_says(tmp_path):
    """Of a small tree: the wheel's own rules. The real one is installed by packaging/test_packages.sh."""
    tree = tmp_path / "tree"
    for name in ("bin/imatch-lua", "lib/imatch-lua/system/libz.so.1", "lib/imatch-lua/torch/lib/libc10.so", "share/imatch-lua/lua/a.lua"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(name)
    (tree / "bin/imatch-lua").chmod(0o755)
    subprocess.run([ROOT / "packaging/build_wheel.py", tree, tmp_path], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("imatch_lua-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        assert "imatch_lua/bin/imatch-lua" in names and "imatch_lua/lib/imatch-lua/system/libz.so.1" in names
        assert not any("torch/lib" in name for name in names)
        assert archive.getinfo("imatch_lua/bin/imatch-lua").external_attr >> 16 & 0o111
        metadata = next(name for name in names if name.endswith("METADATA"))
        pins = (ROOT / "setup").read_text()
        for wheel_name in ("torch", "openvino"):
            version = re.search(rf"^{wheel_name}_version=(\S+)", pins, re.M)[1]
            assert f"Requires-Dist: {wheel_name}=={version}" in archive.read(metadata).decode()
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", tmp_path / "site", wheel],
                   check=True, capture_output=True)
    assert (tmp_path / "site/imatch_lua/bin/imatch-lua").read_text() == "bin/imatch-lua"
