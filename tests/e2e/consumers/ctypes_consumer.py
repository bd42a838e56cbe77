"""Uses libgoat.so from Python with nothing but ctypes: a schema, items, a query, a flush, and all of it again
after reopening. GOAT_LIBRARY names the library."""
import ctypes
import json
import os
import tempfile

goat = ctypes.CDLL(os.environ["GOAT_LIBRARY"])
pointer, size, number, text = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_uint32, ctypes.c_char_p
out = ctypes.POINTER(ctypes.c_void_p)


class Buf(ctypes.Structure):
    _fields_ = [("data", ctypes.POINTER(ctypes.c_uint8)), ("size", size), ("capacity", size)]


class GoatError(Exception):
    pass


buf = ctypes.POINTER(Buf)
SIGNATURES = {
    "goat_db_open": [text, size, pointer, out, out],
    "goat_db_flush": [pointer, ctypes.c_int32, out],
    "goat_db_add_schema": [pointer, text, size],
    "goat_repo_open": [pointer, text, size, number, out, out],
    "goat_item_create": [pointer, pointer, text, size, text, size, text, size, out],
    "goat_item_open": [pointer, pointer, text, size, out],
    "goat_item_set_text": [pointer, text, size, text, size],
    "goat_item_set_int": [pointer, text, size, ctypes.c_int32, number],
    "goat_item_get_int": [pointer, text, size, ctypes.POINTER(ctypes.c_int32), ctypes.POINTER(number)],
    "goat_item_get_text": [pointer, text, size, buf],
    "goat_item_read_json": [pointer, buf, ctypes.POINTER(number)],
    "goat_query_open": [pointer, pointer, text, size, out, out],
    "goat_query_rows_json": [pointer, number, number, buf],
}
goat.goat_error_message.restype = text
goat.goat_error_message.argtypes = goat.goat_error_free.argtypes = goat.goat_db_free.argtypes = [pointer]
goat.goat_repo_free.argtypes = goat.goat_item_free.argtypes = goat.goat_query_free.argtypes = [pointer]
goat.goat_buf_free.argtypes = [buf]


def call(name, *arguments):
    """One function; its goat_error becomes an exception. bytes are given as pointer and length."""
    flat = []
    for argument in arguments:
        flat += [argument, len(argument)] if isinstance(argument, bytes) else [argument]
    error = ctypes.c_void_p()
    function = getattr(goat, name)
    function.restype = ctypes.c_int32
    function.argtypes = SIGNATURES[name] + [out]
    if function(*flat, ctypes.byref(error)) != 0:
        message = goat.goat_error_message(error).decode()
        goat.goat_error_free(error)
        raise GoatError(f"{name}: {message}")


def new(name, *arguments, job=True):
    """A function that makes a handle, blocking."""
    handle = ctypes.c_void_p()
    call(name, *arguments, ctypes.byref(handle), *([None] if job else []))
    return handle


def read(name, *arguments, after=()):
    """A function that fills a buffer."""
    filled = Buf()
    call(name, *arguments, ctypes.byref(filled), *after)
    data = ctypes.string_at(filled.data, filled.size)
    goat.goat_buf_free(ctypes.byref(filled))
    return data


SCHEMA = {"ns": "goat", "version": 1, "fields": {"name": {"type": "string", "required": True},
                                                 "milk": {"type": "number"}, "fed": {"type": "boolean",
                                                                                     "default": False}}}
HERD = [("Heidi", 2 ** 53 + 1), ("Änne", -2 ** 63), ("Bert", 0)]


def herd(repo):
    query = new("goat_query_open", repo, None, b'{"sort": ["-milk"], "fields": ["name"]}')
    rows = read("goat_query_rows_json", query, 0, 2 ** 32 - 1)
    goat.goat_query_free(query)
    return [json.loads(line)["name"] for line in rows.splitlines()]


def open_herd(path):
    db = new("goat_db_open", path.encode(), None)
    call("goat_db_add_schema", db, json.dumps(SCHEMA).encode())
    return db, new("goat_repo_open", db, b"/data/herd", 0)


with tempfile.TemporaryDirectory() as folder:
    db, repo = open_herd(folder)
    for name, milk in HERD:
        item = new("goat_item_create", db, None, f"/data/herd/{name}".encode(), b"goat", None, 0, job=False)
        call("goat_item_set_text", item, b"name", name.encode())
        call("goat_item_set_int", item, b"milk", milk >> 32, milk & 0xFFFFFFFF)
        goat.goat_item_free(item)
    assert herd(repo) == ["Heidi", "Bert", "Änne"], herd(repo)
    call("goat_db_flush", db, 2, None)
    try:
        new("goat_item_open", db, None, b"/data/herd/Zoe", job=False)
        raise AssertionError("there is no Zoe")
    except GoatError as error:
        assert "no such item" in str(error), error
    goat.goat_repo_free(repo)
    goat.goat_db_free(db)

    db, repo = open_herd(folder)
    assert herd(repo) == ["Heidi", "Bert", "Änne"], herd(repo)
    for name, milk in HERD:
        item = new("goat_item_open", db, None, f"/data/herd/{name}".encode(), job=False)
        high, low = ctypes.c_int32(), number()
        call("goat_item_get_int", item, b"milk", ctypes.byref(high), ctypes.byref(low))
        assert high.value * 2 ** 32 + low.value == milk
        assert read("goat_item_get_text", item, b"name").decode() == name
        whole = json.loads(read("goat_item_read_json", item, after=[None]))
        assert whole == {"name": name, "milk": milk, "fed": False}, whole
        goat.goat_item_free(item)
    goat.goat_repo_free(repo)
    goat.goat_db_free(db)
    assert goat.goat_debug_live_handles() == 0
print("ctypes: three goats, written, queried, reopened and read")
