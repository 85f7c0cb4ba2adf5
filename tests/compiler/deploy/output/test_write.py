from __future__ import annotations

import errno
import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from vsr_compiler.deploy.output import File, Lock, Tree, check, output_directory, read_owned, write
from vsr_compiler.deploy.output.system_calls import SystemCalls
from vsr_compiler.diagnostics import CompileError
from vsr_compiler.manifests.lock import parse, sha256

OLD = {
    "keep.yaml": "same",
    "router/config.yaml": "old config",
    "istio/base/ns/a.yaml": "old a",
    "istio/base/ns/gone.yaml": "gone",
    "emptied/deep/x.yaml": "x",
    "swap": "a file that becomes a folder",
    "turn/file.yaml": "a folder that becomes a file",
}
NEW = {
    "keep.yaml": "same",
    "router/config.yaml": "new config",
    "istio/base/ns/a.yaml": "new a",
    "istio/base/ns/b.yaml": "b",
    "added/deep/y.yaml": "y",
    "swap/z.yaml": "z",
    "turn": "t",
}
STAGE = ".vsr-compile-p"


def made(files, *, tool="1"):
    """A tree and its lock from path and text."""
    tree = Tree(File(path, text.encode()) for path, text in files.items())
    return tree, Lock.of(tree, tool=tool, tables={"istio": "1.29"}, policy="p", policy_sha256=sha256(tool.encode()))


def put(out, files, **options):
    """Writes files as policy ``p``."""
    return write(out, *made(files), **options)


def on_disk(out):
    """Path and text of all regular files of policy ``p``, its lock left out."""
    base = out / "p"
    found = {path.relative_to(base).as_posix(): path for path in base.rglob("*") if path.is_file()}
    return {name: path.read_text() for name, path in found.items() if name != "vsr-compile.lock"}


def whole(out):
    """Whether the lock's reader finds every listed file as listed."""
    lock = out / "p/vsr-compile.lock"
    if not lock.exists():
        return False
    files = parse(lock.read_bytes(), "lock").files
    paths = {name: out / "p" / name for name in files}
    return all(p.is_file() and sha256(p.read_bytes()) == files[n].sha256 for n, p in paths.items())


def codes(error):
    """The codes of a failed compile."""
    return [diagnostic.code for diagnostic in error.value.diagnostics]


class Kill(BaseException):
    """What a kill looks like from inside: nothing that runs after it may count."""


class Failing(SystemCalls):
    """Fails at the n-th call, counted from 0, and for good from there where ``lasting``."""

    def __init__(self, at, error, *, lasting=False):
        self.calls, self.at, self.error, self.lasting = 0, at, error, lasting

    @property
    def failed(self):
        """Whether it came to that."""
        return self.calls > self.at

    def _count(self):
        self.calls += 1
        if self.calls - 1 == self.at or (self.lasting and self.failed):
            raise self.error

    def write(self, fd, content):
        """Writes the first half before it fails, as a full disk does."""
        try:
            self._count()
        except BaseException:
            super().write(fd, content[: len(content) // 2])
            raise
        super().write(fd, content)


def _counted(name):
    real = getattr(SystemCalls, name)

    def call(self, *args):
        self._count()
        return real(self, *args)

    return call


for _name in ("create", "fsync", "syncfs", "link", "rename", "unlink", "mkdir", "rmdir"):
    setattr(Failing, _name, _counted(_name))


def failures(error, **options):
    """One failing SystemCalls for each call in turn; stops when the write got through without failing."""
    for at in range(1000):
        ops = Failing(at, error, **options)
        yield ops
        if not ops.failed:
            assert at > 40
            return


class TestWrite:
    """What a write does."""

    def test_first_write_makes_every_file_and_the_lock(self, tmp_path):
        """A first write makes the tree below the policy's name and leaves nothing else behind."""
        report = put(tmp_path / "deep/out", OLD)
        assert on_disk(tmp_path / "deep/out") == OLD
        assert set(report.written) == set(OLD)
        assert (report.removed, report.unchanged) == ((), ())
        assert [path.name for path in (tmp_path / "deep/out").iterdir()] == ["p"]
        assert whole(tmp_path / "deep/out")

    def test_second_write_touches_only_what_changed(self, tmp_path):
        """Unchanged files keep inode and time, removed ones go with their emptied folders, the report says which."""
        put(tmp_path, OLD)
        before = (tmp_path / "p/keep.yaml").stat()
        report = put(tmp_path, NEW)
        after = (tmp_path / "p/keep.yaml").stat()
        assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
        assert on_disk(tmp_path) == NEW
        assert report.unchanged == ("keep.yaml",)
        assert report.removed == ("emptied/deep/x.yaml", "istio/base/ns/gone.yaml", "swap", "turn/file.yaml")
        assert not (tmp_path / "p/emptied").exists()
        assert whole(tmp_path)

    def test_same_tree_again_writes_nothing(self, tmp_path):
        """A write of what is there already makes no system call that changes anything."""
        put(tmp_path, OLD)
        ops = Failing(0, Kill())
        report = put(tmp_path, OLD, calls=ops)
        assert ops.calls == 0
        assert report.written == ()
        assert set(report.unchanged) == set(OLD)

    def test_lock_alone_may_change(self, tmp_path):
        """A new tool version with the same files renews the lock only."""
        put(tmp_path, OLD)
        tree, lock = made(OLD, tool="2")
        assert write(tmp_path, tree, lock).written == ()
        assert parse((tmp_path / "p/vsr-compile.lock").read_bytes(), "").tool == "2"

    def test_more_files_than_single_fsyncs(self, tmp_path):
        """A tree of many files and folders is synced as a whole, and is whole."""
        many = {f"f{number}/x.yaml": str(number) for number in range(100)}
        put(tmp_path, many)
        assert on_disk(tmp_path) == many
        assert whole(tmp_path)

    def test_without_syncfs_each_file_is_synced(self, tmp_path):
        """Where the system cannot sync one file system, each file and folder is."""

        class Plain(SystemCalls):
            count = 0

            def syncfs(self, fd):
                return fd < 0

            def fsync(self, fd):
                self.count += 1
                super().fsync(fd)

        ops = Plain()
        put(tmp_path, {f"f{number}/x": "x" for number in range(40)}, calls=ops)
        assert ops.count > 80

    def test_without_hard_links_old_files_are_copied(self, tmp_path):
        """A file system without hard links works, too, undo included."""
        put(tmp_path, OLD)

        class Unlinked(Failing):
            def link(self, *_):
                raise OSError(errno.EPERM, "no links here")

        with pytest.raises(CompileError):
            put(tmp_path, NEW, calls=Unlinked(30, OSError(errno.EIO, "broken")))
        assert on_disk(tmp_path) == OLD
        put(tmp_path, NEW, calls=Unlinked(9999, None))
        assert on_disk(tmp_path) == NEW

    def test_lock_of_another_tree_is_our_own_mistake(self, tmp_path):
        """A lock that does not list the tree's files is refused before anything happens."""
        with pytest.raises(ValueError, match="does not belong"):
            write(tmp_path / "out", made(OLD)[0], made(NEW)[1])
        assert not (tmp_path / "out").exists()

    @pytest.mark.parametrize("name", ["../p", "", ".", "..", "/p", "a/b", ".hidden", "a\nb"])
    def test_policy_name_must_name_a_folder(self, tmp_path, name):
        """A policy's name cannot lead elsewhere."""
        lock = Lock.of(Tree(), tool="1", tables={}, policy=name, policy_sha256="0" * 64)
        with pytest.raises(CompileError) as error:
            write(tmp_path / "out", Tree(), lock)
        assert codes(error) == ["VSR503"]


class TestOthersFiles:
    """Edited and foreign files."""

    def test_edited_files_are_refused_by_name(self, tmp_path):
        """All edited files that the compile would change or remove are named at once, and nothing is written."""
        put(tmp_path, OLD)
        for name in ("router/config.yaml", "istio/base/ns/gone.yaml", "keep.yaml"):
            (tmp_path / "p" / name).write_text("mine")
        before = on_disk(tmp_path)
        with pytest.raises(CompileError) as error:
            put(tmp_path, NEW)
        assert codes(error) == ["VSR501"] * 3
        assert "p/router/config.yaml was edited by hand" in str(error.value)
        assert "p/istio/base/ns/gone.yaml was edited by hand" in str(error.value)
        assert on_disk(tmp_path) == before

    def test_force_overwrites_edited_files(self, tmp_path):
        """With force, edited and foreign files in the way go."""
        put(tmp_path, OLD)
        (tmp_path / "p/router/config.yaml").write_text("mine")
        (tmp_path / "p/istio/base/ns/b.yaml").write_text("foreign")
        (tmp_path / "p/istio/base/ns/gone.yaml").write_text("mine")
        put(tmp_path, NEW, force=True)
        assert on_disk(tmp_path) == NEW

    def test_foreign_file_in_the_way_is_refused(self, tmp_path):
        """A file that no lock lists is not overwritten, unless it holds the same bytes already."""
        (tmp_path / "p").mkdir()
        (tmp_path / "p/keep.yaml").write_text("foreign")
        with pytest.raises(CompileError, match=r"p/keep\.yaml was not written by vsr-compile"):
            put(tmp_path, OLD)
        (tmp_path / "p/keep.yaml").write_text("same")
        assert put(tmp_path, OLD).unchanged == ("keep.yaml",)

    def test_foreign_files_elsewhere_stay(self, tmp_path):
        """Files that nobody wants to write stay, and so do the folders that they live in."""
        put(tmp_path, OLD)
        (tmp_path / "p/emptied/deep/notes.md").write_text("mine")
        (tmp_path / "p/README.md").write_text("mine")
        put(tmp_path, NEW)
        assert on_disk(tmp_path) == NEW | {"emptied/deep/notes.md": "mine", "README.md": "mine"}

    def test_owned_file_deleted_by_hand_is_written_again(self, tmp_path):
        """Deleting an output file is no edit worth keeping."""
        put(tmp_path, OLD)
        (tmp_path / "p/keep.yaml").unlink()
        (tmp_path / "p/swap").unlink()
        put(tmp_path, NEW)
        assert on_disk(tmp_path) == NEW

    def test_hard_linked_output_is_replaced_not_written_through(self, tmp_path):
        """A second name of an output file elsewhere keeps the old bytes."""
        put(tmp_path, OLD)
        os.link(tmp_path / "p/router/config.yaml", tmp_path / "elsewhere")
        put(tmp_path, NEW)
        assert (tmp_path / "elsewhere").read_text() == "old config"

    @pytest.mark.parametrize("force", [False, True])
    def test_file_where_a_folder_must_be(self, tmp_path, force):
        """A foreign file in a folder's place is one diagnostic, and the tree stays."""
        put(tmp_path, {"a.yaml": "1"})
        (tmp_path / "p/router").write_text("in the way")
        with pytest.raises(CompileError, match="p/router is a file, but must be a folder") as error:
            put(tmp_path, OLD, force=force)
        assert codes(error) == ["VSR500"]
        assert on_disk(tmp_path) == {"a.yaml": "1", "router": "in the way"}

    def test_folder_where_a_file_must_be(self, tmp_path):
        """A foreign folder in a file's place is one diagnostic; one that also holds foreign files is not emptied."""
        (tmp_path / "p/keep.yaml").mkdir(parents=True)
        with pytest.raises(CompileError, match=r"p/keep\.yaml is not a regular file"):
            put(tmp_path, OLD)
        (tmp_path / "p/keep.yaml").rmdir()
        put(tmp_path, OLD)
        (tmp_path / "p/turn/mine").write_text("mine")
        with pytest.raises(CompileError, match=r"p/turn cannot be written: Is a directory") as error:
            put(tmp_path, NEW)
        assert codes(error) == ["VSR500"]
        assert on_disk(tmp_path) == OLD | {"turn/mine": "mine"}

    @pytest.mark.parametrize("where", ["", "p", "p/router", STAGE])
    def test_file_in_place_of_an_output_folder(self, tmp_path, where):
        """Output directory, policy folder, inner folder, hidden folder: a file there is told in one sentence."""
        out = tmp_path / "out"
        (out / where).parent.mkdir(parents=True, exist_ok=True)
        (out / where).write_text("in the way")
        with pytest.raises(CompileError) as error:
            put(out, OLD)
        assert codes(error) == ["VSR500"]
        assert (out / where).read_text() == "in the way"

    def test_pipe_in_the_way_does_not_hang(self, tmp_path):
        """A named pipe in a file's place is refused at once."""
        (tmp_path / "p").mkdir()
        os.mkfifo(tmp_path / "p/keep.yaml")
        with pytest.raises(CompileError, match="not a regular file"):
            put(tmp_path, OLD)


class TestSymlinks:
    """Nothing leads outside."""

    @pytest.mark.parametrize("name", ["p", "p/router", "p/router/config.yaml", "p/vsr-compile.lock", STAGE])
    @pytest.mark.parametrize("force", [False, True])
    @pytest.mark.parametrize("target", ["folder", "file", "nothing"])
    def test_no_link_is_followed(self, tmp_path, name, force, target):
        """A symbolic link anywhere below the output directory is refused, and what it points to stays as it is."""
        out, outside = tmp_path / "out", tmp_path / "outside"
        outside.mkdir()
        (outside / "file").write_text("secret")
        (out / name).parent.mkdir(parents=True)
        (out / name).symlink_to({"folder": outside, "file": outside / "file"}.get(target, outside / "absent"))
        with pytest.raises(CompileError) as error:
            put(out, OLD, force=force)
        assert codes(error) == ["VSR503"]
        assert "symbolic link" in str(error.value)
        assert [path.name for path in outside.iterdir()] == ["file"]
        assert (outside / "file").read_text() == "secret"
        assert (out / name).is_symlink()

    def test_owned_file_swapped_for_a_link_is_not_removed_through(self, tmp_path):
        """A stale file that became a link, or whose folder became one, is refused."""
        put(tmp_path, OLD)
        (tmp_path / "p/emptied/deep/x.yaml").rename(tmp_path / "x.yaml")
        (tmp_path / "p/emptied/deep").rmdir()
        (tmp_path / "p/emptied/deep").symlink_to(tmp_path)
        with pytest.raises(CompileError) as error:
            put(tmp_path, NEW)
        assert codes(error) == ["VSR503"]
        assert (tmp_path / "x.yaml").read_text() == "x"

    def test_output_directory_may_be_a_link(self, tmp_path):
        """The output directory itself is the user's choice, links included."""
        (tmp_path / "real").mkdir()
        (tmp_path / "out").symlink_to(tmp_path / "real")
        put(tmp_path / "out", OLD)
        assert on_disk(tmp_path / "real") == OLD

    def test_folder_swapped_for_a_link_in_mid_write(self, tmp_path):
        """A link that appears after the checks is refused, too, and what was done is undone."""
        out, outside = tmp_path / "out", tmp_path / "outside"
        outside.mkdir()
        put(out, OLD)

        class Attack(SystemCalls):
            def rename(self, name, folder, new, new_folder):
                super().rename(name, folder, new, new_folder)
                if new == "journal":
                    (out / "p/router").rename(out / "p/moved")
                    (out / "p/router").symlink_to(outside)

        with pytest.raises(CompileError) as error:
            put(out, NEW, calls=Attack())
        assert codes(error) == ["VSR503"]
        assert list(outside.iterdir()) == []
        (out / "p/router").unlink()
        (out / "p/moved").rename(out / "p/router")
        assert on_disk(out) == OLD


class TestCrash:
    """Kills and errors at every system call."""

    def test_killed_at_every_call_each_file_is_old_or_new_and_the_next_compile_finishes(self, tmp_path):
        """Killed anywhere, no file is torn, the lock tells the truth, and a compile of any tree ends whole."""
        third = {"keep.yaml": "3", "swap": "a file again", "other.yaml": "o"}
        for ops in failures(Kill()):
            out = tmp_path / str(ops.at)
            put(out, OLD)
            (out / "p/mine").write_text("mine")
            try:
                put(out, NEW, calls=ops)
            except Kill:
                state = on_disk(out)
                assert state.pop("mine") == "mine"
                assert all(text in {OLD.get(path), NEW.get(path)} for path, text in state.items())
                locked = parse((out / "p/vsr-compile.lock").read_bytes(), "")
                assert locked in {0: made(OLD)[1], 1: made(NEW)[1]}.values()
                if whole(out):
                    assert locked.files.keys() <= state.keys()
                assert ops.at == 0 or check(out, *made(OLD)) or check(out, *made(NEW))
            follow = (NEW, OLD, third)[ops.at % 3]
            put(out, follow)
            assert on_disk(out) == follow | {"mine": "mine"}
            assert whole(out)
            assert check(out, *made(follow)) == []
            assert sorted(path.name for path in out.iterdir()) == ["p"]

    def test_killed_twice(self, tmp_path):
        """A kill of the compile that follows a killed one is finished by the third."""
        third = {"keep.yaml": "3", "swap": "a file again", "turn/file.yaml": "other"}
        for first in (12, 18, 24, 30, 36):
            for ops in failures(Kill()):
                out = tmp_path / f"{first}-{ops.at}"
                put(out, OLD)
                with pytest.raises(Kill):
                    put(out, NEW, calls=Failing(first, Kill()))
                try:
                    put(out, third, calls=ops)
                except Kill:
                    known = (OLD, NEW, third)
                    assert all(text in [k.get(path) for k in known] for path, text in on_disk(out).items())
                put(out, OLD)
                assert on_disk(out) == OLD
                assert [path.name for path in out.iterdir()] == ["p"]
                if ops.at > 40:
                    break

    def test_disk_full_at_every_call_leaves_the_old_tree(self, tmp_path):
        """An error of the system anywhere is one diagnostic with its words, and the old files are all there."""
        for ops in failures(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))):
            out = tmp_path / str(ops.at)
            put(out, OLD)
            try:
                put(out, NEW, calls=ops)
            except CompileError as error:
                (found,) = error.diagnostics
                assert found.code == "VSR500"
                assert "No space left on device" in found.message
                assert found.span.file.startswith(str(out))
                if "complete" in found.hint:
                    assert on_disk(out) == NEW
                else:
                    assert on_disk(out) == OLD
                    assert check(out, *made(OLD)) == []
                assert whole(out)
            put(out, NEW)
            assert on_disk(out) == NEW
            assert [path.name for path in out.iterdir()] == ["p"]

    def test_disk_failing_for_good_is_finished_later(self, tmp_path):
        """Where undoing fails, too, the message says so and the next compile finishes, from whatever state."""
        halves = 0
        for ops in failures(OSError(errno.EROFS, os.strerror(errno.EROFS)), lasting=True):
            out = tmp_path / str(ops.at)
            put(out, OLD)
            try:
                put(out, NEW, calls=ops)
            except CompileError as error:
                (found,) = error.diagnostics
                halves += found.code == "VSR500" and "finishes the work" in found.hint
            put(out, NEW)
            assert on_disk(out) == NEW
            assert whole(out)
        assert halves > 10

    def test_interrupted_then_edited_is_still_refused(self, tmp_path):
        """A file that somebody edits after a crash is theirs."""
        put(tmp_path, OLD)
        with pytest.raises(Kill):
            put(tmp_path, NEW, calls=Failing(30, Kill()))
        (tmp_path / "p/router/config.yaml").write_text("mine")
        with pytest.raises(CompileError, match=r"p/router/config\.yaml was edited by hand"):
            put(tmp_path, NEW)
        put(tmp_path, NEW, force=True)
        assert on_disk(tmp_path) == NEW

    def test_interrupted_then_restored_by_git_is_fine(self, tmp_path):
        """After a crash, putting the old files back by other means is recognised."""
        put(tmp_path, OLD)
        with pytest.raises(Kill):
            put(tmp_path, {"keep.yaml": "new"}, calls=Failing(20, Kill()))
        for path, text in OLD.items():
            (tmp_path / "p" / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "p" / path).write_text(text)
        put(tmp_path, OLD)
        assert on_disk(tmp_path) == OLD
        assert [path.name for path in tmp_path.iterdir()] == ["p"]

    def test_error_after_an_interrupted_compile_keeps_its_journal(self, tmp_path):
        """A compile that resumes an interrupted one and fails leaves enough for the third to finish."""
        put(tmp_path, OLD)
        with pytest.raises(Kill):
            put(tmp_path, NEW, calls=Failing(30, Kill()))
        state = on_disk(tmp_path)
        with pytest.raises(CompileError, match="No space"):
            put(tmp_path, {"keep.yaml": "3"}, calls=Failing(14, OSError(errno.ENOSPC, "No space left")))
        assert on_disk(tmp_path) == state
        put(tmp_path, OLD)
        assert on_disk(tmp_path) == OLD

    @pytest.mark.parametrize(
        "journal", [b"", b"{", b'{"files":{"../x":[]}}', b'{"files":{"a":["x"]}}', b'{"files":{"a":1}}']
    )
    def test_broken_journal_is_reported_and_removed_by_force(self, tmp_path, journal):
        """A journal that we did not write is an error in plain words; force drops it."""
        put(tmp_path, OLD)
        (tmp_path / STAGE).mkdir()
        (tmp_path / STAGE / "journal").write_bytes(journal)
        with pytest.raises(CompileError, match="journal of an interrupted compile is broken") as error:
            put(tmp_path, OLD)
        assert codes(error) == ["VSR501"]
        put(tmp_path, OLD, force=True)
        assert not (tmp_path / STAGE).exists()

    def test_foreign_file_in_the_hidden_folder_stays(self, tmp_path):
        """What is not ours is not swept, not even there."""
        (tmp_path / STAGE).mkdir()
        (tmp_path / STAGE / "mine").write_text("mine")
        (tmp_path / STAGE / "new-7").write_text("rubbish of a killed compile")
        put(tmp_path, OLD)
        assert [path.name for path in (tmp_path / STAGE).iterdir()] == ["mine"]
        assert check(tmp_path, *made(OLD)) == []


class TestRefused:
    """What a compile cannot write, and why."""

    def test_read_only_directory(self, tmp_path):
        """A directory that cannot be written is one diagnostic with its path and the system's words."""
        put(tmp_path, OLD)
        with pytest.raises(CompileError, match="Permission denied") as error:
            put(tmp_path, NEW, calls=Failing(0, PermissionError(errno.EACCES, "Permission denied"), lasting=True))
        assert codes(error) == ["VSR500"]
        assert str(tmp_path) in error.value.diagnostics[0].message
        assert on_disk(tmp_path) == OLD

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
    def test_read_only_directory_for_real(self, tmp_path):
        """The same without injection."""
        put(tmp_path, OLD)
        tmp_path.chmod(0o500)
        try:
            with pytest.raises(CompileError, match="Permission denied"):
                put(tmp_path, NEW)
        finally:
            tmp_path.chmod(0o700)
        assert on_disk(tmp_path) == OLD

    @pytest.mark.parametrize("lock", [b"", b"[]", b'{"files": {}}', b"\xff", b"[" * 100_000])
    def test_broken_lock(self, tmp_path, lock):
        """A broken lock is one diagnostic with what to do; force writes a new one."""
        put(tmp_path, OLD)
        (tmp_path / "p/vsr-compile.lock").write_bytes(lock)
        with pytest.raises(CompileError, match="the lock is broken") as error:
            put(tmp_path, NEW)
        assert codes(error) == ["VSR501"]
        assert "--force" in error.value.diagnostics[0].hint
        assert on_disk(tmp_path) == OLD
        put(tmp_path, OLD, force=True)
        assert whole(tmp_path)

    def test_another_compile_is_writing(self, tmp_path, monkeypatch):
        """While somebody holds the output directory, a compile gives up after its patience, and says why."""
        monkeypatch.setattr(output_directory, "LOCK_TIMEOUT", 0.0)
        fd = os.open(tmp_path, os.O_RDONLY)
        fcntl.flock(fd, fcntl.LOCK_EX)
        try:
            with pytest.raises(CompileError, match="another compile is writing") as error:
                put(tmp_path, OLD)
        finally:
            os.close(fd)
        assert codes(error) == ["VSR504"]
        assert list(tmp_path.iterdir()) == []
        put(tmp_path, OLD)

    @pytest.mark.subprocess
    def test_two_processes_at_once_end_with_one_whole_tree(self, tmp_path):
        """Two compiles that write different trees again and again never mix them."""
        script = (
            "import sys, json; from pathlib import Path; sys.path[:0] = json.loads(sys.argv[3])\n"
            "from test_write import made, output_directory, write\n"
            "output_directory.LOCK_TIMEOUT = 600\n"
            "for n in range(20):\n"
            "    files = {f'{sys.argv[2]}{i}/x': str(n) for i in range(5)}\n"
            "    write(Path(sys.argv[1]), *made(files | {'both': sys.argv[2]}))\n"
        )
        path = json.dumps([str(Path(__file__).parent), *sys.path])
        command = [sys.executable, "-W", "error", "-c", script, str(tmp_path)]
        running = [subprocess.Popen([*command, name, path]) for name in "ab"]
        assert [process.wait(600) for process in running] == [0, 0]
        assert whole(tmp_path)
        last = on_disk(tmp_path)["both"]
        assert on_disk(tmp_path) == {f"{last}{i}/x": "19" for i in range(5)} | {"both": last}
        assert [entry.name for entry in tmp_path.iterdir()] == ["p"]


class TestCheck:
    """How the disk differs from a compile."""

    def test_equal(self, tmp_path):
        """A fresh output has nothing to say, foreign files beside it included."""
        put(tmp_path, OLD)
        (tmp_path / "p/README.md").write_text("mine")
        assert check(tmp_path, *made(OLD)) == []

    def test_every_difference_is_reported_and_nothing_is_written(self, tmp_path):
        """Missing, changed and extra files and a changed lock are told in order of path."""
        put(tmp_path, OLD)
        (tmp_path / "p/keep.yaml").unlink()
        (tmp_path / "p/router/config.yaml").write_text("edited")
        before = on_disk(tmp_path)
        files = {path: text for path, text in OLD.items() if path != "swap"}
        found = check(tmp_path, *made(files))
        assert [(one.code, one.message.removeprefix(f"{tmp_path}/p/")) for one in found] == [
            ("VSR502", "keep.yaml is missing"),
            ("VSR502", "router/config.yaml differs"),
            ("VSR502", "swap is no longer produced"),
            ("VSR502", "vsr-compile.lock differs"),
        ]
        assert on_disk(tmp_path) == before

    def test_nothing_there(self, tmp_path):
        """An absent output directory is one difference, and so is an absent folder of the policy."""
        assert [one.code for one in check(tmp_path / "out", *made(OLD))] == ["VSR502"]
        found = check(tmp_path, *made({"a": "1"}))
        assert [one.message.rpartition("/")[2] for one in found] == ["p does not exist"]
        assert list(tmp_path.iterdir()) == []

    def test_links_and_broken_locks_are_reported(self, tmp_path):
        """What cannot be compared is told by its own code."""
        put(tmp_path, OLD)
        (tmp_path / "p/keep.yaml").unlink()
        (tmp_path / "p/keep.yaml").symlink_to(tmp_path / "p/swap")
        assert [one.code for one in check(tmp_path, *made(OLD))] == ["VSR503"]
        (tmp_path / "p/vsr-compile.lock").write_text("?")
        assert [one.code for one in check(tmp_path, *made(OLD))] == ["VSR501"]

    def test_interrupted_write_is_reported(self, tmp_path):
        """A write that was cut short is told even where the files happen to be right."""
        put(tmp_path, OLD)
        with pytest.raises(Kill):
            put(tmp_path, NEW, calls=Failing(26, Kill()))
        assert "was interrupted" in str([one.message for one in check(tmp_path, *made(OLD))])


class TestReadOwned:
    """Reading files of an earlier compile."""

    def test_reads_what_a_compile_wrote(self, tmp_path):
        """The bytes of a file; None for an absent file, folder, policy or output directory."""
        put(tmp_path, OLD)
        assert read_owned(tmp_path, "p", "router/config.yaml") == b"old config"
        for where, policy, path in (
            (tmp_path, "p", "absent"),
            (tmp_path, "p", "no/such"),
            (tmp_path, "q", "x"),
            (tmp_path / "o", "p", "x"),
        ):
            assert read_owned(where, policy, path) is None

    @pytest.mark.parametrize(
        ("policy", "path", "code"),
        [
            ("p", "../secret", "VSR503"),
            ("p", "/etc/passwd", "VSR503"),
            ("..", "secret", "VSR503"),
            ("p", "link", "VSR503"),
            ("p", "linked/secret", "VSR503"),
            ("p", "router", "VSR500"),
            ("p", "keep.yaml/x", "VSR500"),
            ("p", "large", "VSR005"),
        ],
    )
    def test_refuses(self, tmp_path, policy, path, code):
        """Paths that lead outside, links, folders, files as folders, and files over 64 MiB are refused."""
        (tmp_path / "secret").write_text("secret")
        put(tmp_path, OLD)
        (tmp_path / "p/link").symlink_to(tmp_path / "secret")
        (tmp_path / "p/linked").symlink_to(tmp_path)
        with (tmp_path / "p/large").open("wb") as large:
            large.truncate(64 * 1024 * 1024 + 1)
        with pytest.raises(CompileError) as error:
            read_owned(tmp_path, policy, path)
        assert codes(error) == [code]
