"""Ed25519 verification, strict as core/commit/FORMAT.md 6.2: refused are public keys and R of small order, public
keys that are not canonical, and S that is not reduced; R is compared as bytes, without the cofactor.

Uses python3-nacl where it is installed (libsodium, which has the same rule); otherwise RFC 8032 in plain Python,
some milliseconds each."""
import hashlib

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT = pow(2, (P - 1) // 4, P)
# The y of the eight points of small order, in every encoding that 255 bits have for them.
ORDER_8 = 2707385501144840649318225287225658788936804267575313519463743609750303402022
SMALL = {0, 1, P - 1, P, P + 1, ORDER_8, P - ORDER_8}

try:
    import nacl.bindings
    import nacl.exceptions
    BACKEND = "python3-nacl"
except ImportError:
    nacl = None
    BACKEND = "plain Python"


def _add(a, b):
    x1, y1, z1, t1 = a
    x2, y2, z2, t2 = b
    e, f = (y1 - x1) * (y2 - x2) % P, (y1 + x1) * (y2 + x2) % P
    g, h = 2 * D * t1 * t2 % P, 2 * z1 * z2 % P
    p, q, r, s = f - e, h - g, h + g, f + e
    return p * q % P, r * s % P, q * r % P, p * s % P


def _times(n, point):
    result = (0, 1, 1, 0)
    while n:
        if n & 1:
            result = _add(result, point)
        point = _add(point, point)
        n >>= 1
    return result


def _decode(raw):
    number = int.from_bytes(raw, "little")
    y, sign = number & (1 << 255) - 1, number >> 255
    if y >= P:
        return None
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if v * x * x % P != u:
        x = x * ROOT % P
    if v * x * x % P != u or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


def _encode(point):
    x, y, z, _ = point
    inverse = pow(z, -1, P)
    x, y = x * inverse % P, y * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


BASE = _decode((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def _plain(key, message, signature):
    point = _decode(key)
    if point is None:
        return False
    x, y, z, t = point
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    s = int.from_bytes(signature[32:], "little")
    return _encode(_add(_times(s, BASE), _times(k, (P - x, y, z, P - t)))) == signature[:32]


def verify(key, message, signature, backend=BACKEND):
    def y(raw):
        return int.from_bytes(raw, "little") & (1 << 255) - 1

    if y(key) in SMALL or y(signature[:32]) in SMALL or y(key) >= P:
        return False
    if int.from_bytes(signature[32:], "little") >= L:
        return False
    if backend == "plain Python":
        return _plain(key, message, signature)
    try:
        nacl.bindings.crypto_sign_open(signature + message, key)
        return True
    except nacl.exceptions.BadSignatureError:
        return False
