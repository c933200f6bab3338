"""What the source says about itself, read from its syntax trees: imports, writes, broad catches, index writes.

Each function takes one parsed module and gives its findings in words; tests/test_architecture.py holds them against the
house rules and plants a defect for each.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

WRITING_FLAGS = {"O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_APPEND"}
OS_VERBS = {
    "replace", "rename", "renames", "unlink", "remove", "rmdir", "removedirs", "mkdir", "makedirs", "chmod", "fchmod",
    "lchmod", "chown", "fchown", "lchown", "truncate", "ftruncate", "link", "symlink", "utime", "mkfifo", "mknod",
    "write", "pwrite", "writev", "setxattr", "removexattr", "posix_fallocate", "copy_file_range", "sendfile",
}  # fmt: skip
WRITING_OS = {f"os.{name}" for name in OS_VERBS}
READING_SHUTIL = {"shutil.which", "shutil.disk_usage", "shutil.get_terminal_size"}
WRITING_METHODS = {
    "write_text", "write_bytes", "unlink", "rename", "touch", "mkdir", "rmdir", "symlink_to", "hardlink_to", "lchmod",
}  # fmt: skip
ORM_WRITES = {
    "create", "bulk_create", "bulk_update", "update_or_create", "get_or_create", "update", "delete", "acreate",
    "aupdate", "adelete", "_raw_delete",
}  # fmt: skip
OBJECT_WRITES = {"save", "delete", "asave", "adelete"}
SQL_WRITES = ("insert", "update", "delete", "replace", "drop", "create", "alter")
BROAD = {"Exception", "BaseException"}


@dataclass(frozen=True)
class Module:
    """One source file; ``name`` is its dotted name, ``path`` relative to the checkout with ``/``."""

    path: str
    source: str
    tree: ast.Module = field(compare=False)

    @classmethod
    def parse(cls, path: str, source: str) -> Module:
        return cls(path, source, ast.parse(source))

    @property
    def name(self) -> str:
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    @property
    def package(self) -> str:
        return self.name if self.path.endswith("__init__.py") else self.name.rpartition(".")[0]

    @cached_property
    def aliases(self) -> dict[str, str]:
        """Local name → dotted name, for everything imported anywhere in the module."""
        found = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    found[alias.asname or alias.name.split(".")[0]] = (
                        alias.name if alias.asname else alias.name.split(".")[0]
                    )
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    found[alias.asname or alias.name] = f"{self._origin(node)}.{alias.name}"
        return found

    def _origin(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        base = self.package.split(".")
        base = base[: len(base) - node.level + 1]
        return ".".join([*base, *([node.module] if node.module else [])])

    def imports(self) -> Iterator[tuple[int, str]]:
        """Line and dotted name of everything imported: at the top, in functions, by name through importlib."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((node.lineno, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield from ((node.lineno, f"{self._origin(node)}.{alias.name}") for alias in node.names)
            elif isinstance(node, ast.Call) and self._imports_by_name(node):
                yield node.lineno, str(ast.literal_eval(node.args[0]))

    def _imports_by_name(self, call: ast.Call) -> bool:
        by_name = self.dotted(call.func) in {"importlib.import_module", "__import__"}
        return by_name and bool(call.args) and isinstance(call.args[0], ast.Constant)

    def dotted(self, node: ast.expr) -> str:
        """``os.path.join`` for that expression with its aliases resolved; empty for anything computed."""
        if isinstance(node, ast.Name):
            return self.aliases.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            owner = self.dotted(node.value)
            return f"{owner}.{node.attr}" if owner else ""
        return ""

    def calls(self) -> Iterator[ast.Call]:
        yield from (node for node in ast.walk(self.tree) if isinstance(node, ast.Call))

    def constant(self, name: str) -> ast.expr | None:
        """What a name is assigned at the top of the module."""
        for node in self.tree.body:
            if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in node.targets):
                return node.value
        return None


def writes(module: Module) -> list[str]:
    """Every call that can create, change or remove something on disk."""
    return [f"{module.path}:{call.lineno}: {what}" for call in module.calls() if (what := _write(module, call))]


def _write(module: Module, call: ast.Call) -> str:
    name = module.dotted(call.func)
    if name == "os.open":
        return "os.open for writing" if _opens_for_writing(module, call) else ""
    if name in {"open", "io.open", "os.fdopen"} or (isinstance(call.func, ast.Attribute) and call.func.attr == "open"):
        place = 1 if name in {"open", "io.open", "os.fdopen"} else 0
        return "open for writing" if _mode_writes(module, call, place) else ""
    if name in WRITING_OS or (name.startswith("shutil.") and name not in READING_SHUTIL):
        return name
    if name.startswith("tempfile.") or name == "sqlite3.connect":
        return name
    if isinstance(call.func, ast.Attribute) and call.func.attr in WRITING_METHODS:
        return f".{call.func.attr}()"
    if (
        isinstance(call.func, ast.Attribute)
        and call.func.attr == "replace"
        and len(call.args) == 1
        and not call.keywords
    ):
        return ".replace()"  # of a path: a string's takes two arguments
    return ""


def _opens_for_writing(module: Module, call: ast.Call) -> bool:
    flags = call.args[1] if len(call.args) > 1 else None
    if isinstance(flags, ast.Name):
        flags = module.constant(flags.id)
    return flags is None or any(name in WRITING_FLAGS for name in _names(module, flags, depth=3))


def _names(module: Module, node: ast.expr, depth: int) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Attribute):
            yield part.attr
        elif isinstance(part, ast.Name):
            yield part.id
            value = module.constant(part.id) if depth else None
            if value is not None:
                yield from _names(module, value, depth - 1)


def _mode_writes(module: Module, call: ast.Call, place: int) -> bool:
    mode = call.args[place] if len(call.args) > place else None
    for keyword in call.keywords:
        if keyword.arg == "mode":
            mode = keyword.value
    if mode is None:
        return False
    if isinstance(mode, ast.Constant) and isinstance(mode.value, str):
        return bool(set(mode.value) & set("wax+"))
    # An unknown mode of the built-in counts as writing; another object's open() takes what it likes.
    return place == 1 and not isinstance(mode, ast.Constant)


def broad_catches(module: Module) -> list[str]:
    """``file::function`` of every bare or broad ``except`` that does not raise again, and every broad ``suppress``."""
    return [
        f"{module.path}::{where}"
        for where, node in _with_owner(module.tree, "")
        if (isinstance(node, ast.ExceptHandler) and _swallows_all(module, node))
        or (isinstance(node, ast.Call) and _suppresses_all(module, node))
    ]


def _swallows_all(module: Module, handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    if isinstance(last, ast.Raise) and last.exc is None:
        return False
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(part is None or module.dotted(part) in BROAD for part in caught)


def _suppresses_all(module: Module, call: ast.Call) -> bool:
    return module.dotted(call.func) == "contextlib.suppress" and any(module.dotted(a) in BROAD for a in call.args)


def _with_owner(node: ast.AST, owner: str) -> Iterator[tuple[str, ast.AST]]:
    for child in ast.iter_child_nodes(node):
        inner = owner
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inner = f"{owner}.{child.name}".lstrip(".")
        yield inner, child
        yield from _with_owner(child, inner)


def index_writes(module: Module, models: frozenset[str]) -> list[str]:
    """Calls that create, change or remove rows of ``models``, and SQL text that does."""
    found = []
    for call in module.calls():
        if not isinstance(call.func, ast.Attribute):
            continue
        method, chain = call.func.attr, set(_chain(call.func.value))
        if method in ORM_WRITES and "objects" in chain and chain & models:
            found.append(f"{module.path}:{call.lineno}: {method} of {', '.join(sorted(chain & models))}")
        elif method in OBJECT_WRITES and "objects" not in chain:
            found.append(f"{module.path}:{call.lineno}: .{method}()")
        elif method in {"execute", "executemany", "executescript"} and _sql(call).startswith(SQL_WRITES):
            found.append(f"{module.path}:{call.lineno}: SQL that writes")
    return found


def _chain(node: ast.expr) -> Iterator[str]:
    while True:
        if isinstance(node, ast.Attribute):
            yield node.attr
            node = node.value
        elif isinstance(node, ast.Call):
            node = node.func
        elif isinstance(node, ast.Subscript):
            node = node.value
        else:
            break
    if isinstance(node, ast.Name):
        yield node.id


def _sql(call: ast.Call) -> str:
    first = call.args[0] if call.args else None
    if isinstance(first, ast.JoinedStr) and first.values:
        first = first.values[0] if isinstance(first.values[0], ast.Constant) else None
    return str(first.value).lstrip().lower() if isinstance(first, ast.Constant) else ""
