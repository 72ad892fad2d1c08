#!/usr/bin/env python3
"""A second verifier of evidence bundles and of certificates of destruction, written from docs/evidence.md and
docs/certificate.md to hold the first one against.

    python3 auricle_verify.py BUNDLE --policy FILE [--json] [--at TIME] [--max-age-hours N] [--trust-bundled-policy]
    python3 auricle_verify.py --certificate FILE --jwks FILE --policy FILE [--json]
    python3 auricle_verify.py --batch LIST

Python 3.9 or newer and its standard library, which has no signatures: Ed25519 and P-256 are worked out in integers here,
for checking only. In a batch, each line of LIST is {"bundle", "policy", "at", "maxAgeHours", "trust"} (policy: a file or
null) or {"certificate", "jwks", "policy"}, and gets a line with the report and its exit code.
"""

import base64
import binascii
import calendar
import datetime
import functools
import hashlib
import json
import re
import sys
import zlib

CLASSES = ("tampered", "missing", "gap", "unsigned", "stale")
LONGEST_LINE = 1_048_576
LONGEST_LEAF = 8192
BIGGEST = 2**53 - 1
TEN_MINUTES = 600_000
ONE_MINUTE = 60_000

ID = re.compile(r"[a-z]{3}_[0-7][0-9a-hjkmnp-tv-z]{25}")
TENANT = re.compile(r"ten_[0-7][0-9a-hjkmnp-tv-z]{25}")
ORIGIN = re.compile(r"([a-z0-9][a-z0-9.-]*)/t/(ten_[0-7][0-9a-hjkmnp-tv-z]{25})/([1-9][0-9]{3})")
TIME = re.compile(r"([1-9][0-9]{3})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})\.([0-9]{3})Z")
KEY_NAME = re.compile(r"[!-*,-~]+")
NUMBER = re.compile(r"0|[1-9][0-9]*")
BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
MEMBER = re.compile(r"[a-z][A-Za-z0-9]*")


class Stop(Exception):
    """A finding of the class tampered. `place` overrides where it is."""

    def __init__(self, code, origin=None, seq=None, line=None):
        super().__init__(code)
        self.code, self.origin, self.seq, self.line = code, origin, seq, line


class BadPolicy(Exception):
    pass


class Unusable(Exception):
    pass


# ---- JSON in one spelling


def pairs_once(pairs):
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is doubled")
    return members


def no_fraction(text):
    raise ValueError("a number with a fraction or an exponent")


def safe_integer(text):
    if len(text) > 17 or abs(int(text)) > BIGGEST:
        raise ValueError("a number beyond 2^53 - 1")
    return int(text)


def read_json(text):
    """The value of `text`, if `text` is its only spelling; ValueError otherwise."""
    try:
        value = json.loads(
            text,
            object_pairs_hook=pairs_once,
            parse_int=safe_integer,
            parse_float=no_fraction,
            parse_constant=no_fraction,
        )
        # Python escapes what RFC 8785 wants escaped and nothing else, if told to leave other alphabets alone. A lone
        # surrogate comes out bare, which no text that was UTF-8 holds.
        if json.dumps(value, ensure_ascii=False, separators=(",", ":")) != text:
            raise ValueError("another spelling")
    except RecursionError:
        raise ValueError("too deep") from None
    return value


def canonical_depth(value):
    """How deep it nests; ValueError where members are out of order or have names of other characters."""
    if isinstance(value, list):
        inner = value
    elif isinstance(value, dict):
        names = list(value)
        if names != sorted(names) or not all(MEMBER.fullmatch(name) for name in names):
            raise ValueError("members")
        inner = value.values()
    else:
        return 0
    return 1 + max(map(canonical_depth, inner), default=0)


# ---- Small things


def is_number(value):
    return type(value) is int and 0 <= value <= BIGGEST


def is_text(value):
    return type(value) is str


def is_texts(value):
    return type(value) is list and all(map(is_text, value))


def number_of(text):
    """None where `text` is no number."""
    if not NUMBER.fullmatch(text) or len(text) > 16:
        return None
    return int(text) if int(text) <= BIGGEST else None


@functools.lru_cache(maxsize=65_536)
def milliseconds(text):
    """Since 1970; None where `text` is no time."""
    match = TIME.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, thousandth = map(int, match.groups())
    if not (1 <= month <= 12 and hour < 24 and minute < 60 and second < 60):
        return None
    if not 1 <= day <= calendar.monthrange(year, month)[1]:
        return None
    days = datetime.date(year, month, day).toordinal() - datetime.date(1970, 1, 1).toordinal()
    return (((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 + thousandth


def is_time(value):
    return is_text(value) and milliseconds(value) is not None


def bytes_of(text):
    """Of base64; None where it is none, or empty."""
    if not is_text(text) or not BASE64.fullmatch(text):
        return None
    try:
        raw = base64.b64decode(text, validate=True)
    except binascii.Error:
        return None
    return raw if base64.b64encode(raw).decode() == text else None


def hash_of(text):
    raw = bytes_of(text)
    return raw if raw is not None and len(raw) == 32 else None


def hashes_of(value):
    if type(value) is not list:
        raise Stop("bad_line")
    hashes = [hash_of(item) for item in value]
    if None in hashes:
        raise Stop("bad_line")
    return hashes


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


# ---- Merkle trees, by the recursive definitions of RFC 6962 section 2.1


def leaf_node(leaf):
    return sha256(b"\0", leaf)


def inner_node(left, right):
    return sha256(b"\1", left, right)


def split_of(size):
    """The largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)


class GrowingTree:
    def __init__(self, size, roots):
        heights = [bit for bit in range(size.bit_length() - 1, -1, -1) if size >> bit & 1]
        self.parts = list(zip(heights, roots))

    def add(self, node):
        height = 0
        while self.parts and self.parts[-1][0] == height:
            node = inner_node(self.parts.pop()[1], node)
            height += 1
        self.parts.append((height, node))

    def root(self):
        if not self.parts:
            return sha256()
        return functools.reduce(lambda right, part: inner_node(part[1], right), self.parts[-2::-1], self.parts[-1][1])


def root_from_inclusion(index, size, leaf, proof):
    """None where the proof has another length than it must."""
    if index >= size:
        return None
    if size == 1:
        return leaf if not proof else None
    if not proof:
        return None
    half = split_of(size)
    if index < half:
        left = root_from_inclusion(index, half, leaf, proof[:-1])
        return None if left is None else inner_node(left, proof[-1])
    right = root_from_inclusion(index - half, size - half, leaf, proof[:-1])
    return None if right is None else inner_node(proof[-1], right)


def roots_from_consistency(older, newer, proof, known):
    """Both roots that a proof leads to; `known` is the older root while the proof may leave it out."""
    if older == newer:
        if known is not None:
            return (known, known) if not proof else None
        return (proof[0], proof[0]) if len(proof) == 1 else None
    if not proof:
        return None
    half = split_of(newer)
    if older <= half:
        roots = roots_from_consistency(older, half, proof[:-1], known)
        return None if roots is None else (roots[0], inner_node(roots[1], proof[-1]))
    roots = roots_from_consistency(older - half, newer - half, proof[:-1], None)
    return None if roots is None else (inner_node(proof[-1], roots[0]), inner_node(proof[-1], roots[1]))


# ---- Ed25519 (RFC 8032), in extended coordinates

Q = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, Q - 2, Q) % Q
ROOT_OF_MINUS_ONE = pow(2, (Q - 1) // 4, Q)
NEUTRAL = (0, 1, 1, 0)


def ed_add(a, b):
    e = (a[1] - a[0]) * (b[1] - b[0]) % Q
    f = (a[1] + a[0]) * (b[1] + b[0]) % Q
    g = 2 * a[3] * b[3] * D % Q
    h = 2 * a[2] * b[2] % Q
    m, n, o, p = f - e, h - g, h + g, f + e
    return (m * n % Q, o * p % Q, n * o % Q, m * p % Q)


def ed_times(scalar, point):
    result = NEUTRAL
    while scalar:
        if scalar & 1:
            result = ed_add(result, point)
        point = ed_add(point, point)
        scalar >>= 1
    return result


def ed_point(encoded):
    number = int.from_bytes(encoded, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    if y >= Q:
        return None
    squared = (y * y - 1) * pow(D * y * y + 1, Q - 2, Q) % Q
    x = pow(squared, (Q + 3) // 8, Q)
    if (x * x - squared) % Q:
        x = x * ROOT_OF_MINUS_ONE % Q
    if (x * x - squared) % Q or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = Q - x
    return (x, y, 1, x * y % Q)


def ed_encode(point):
    inverse = pow(point[2], Q - 2, Q)
    x, y = point[0] * inverse % Q, point[1] * inverse % Q
    return (y | (x & 1) << 255).to_bytes(32, "little")


ED_BASE = ed_point((4 * pow(5, Q - 2, Q) % Q).to_bytes(32, "little"))


@functools.lru_cache(maxsize=None)
def ed25519_holds(key, message, signature):
    point = ed_point(key)
    if point is None or len(signature) != 64:
        return False
    s = int.from_bytes(signature[32:], "little")
    if s >= L:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    minus = (Q - point[0], point[1], 1, Q - point[3])
    return ed_encode(ed_add(ed_times(s, ED_BASE), ed_times(h, minus))) == signature[:32]


# ---- ECDSA on P-256 (FIPS 186-4), in Jacobian coordinates; None is the point at infinity

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
    1,
)
P256_HEAD = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")


def p256_double(a):
    if a is None or a[1] == 0:
        return None
    x, y, z = a
    yy = y * y % P
    s = 4 * x * yy % P
    m = 3 * (x - z * z) * (x + z * z) % P
    x3 = (m * m - 2 * s) % P
    return (x3, (m * (s - x3) - 8 * yy * yy) % P, 2 * y * z % P)


def p256_add(a, b):
    if a is None:
        return b
    if b is None:
        return a
    za, zb = a[2] * a[2] % P, b[2] * b[2] % P
    u, v = a[0] * zb % P, b[0] * za % P
    s, t = a[1] * b[2] * zb % P, b[1] * a[2] * za % P
    if u == v:
        return p256_double(a) if s == t else None
    h, r = (v - u) % P, (t - s) % P
    hh = h * h % P
    x = (r * r - h * hh - 2 * u * hh) % P
    return (x, (r * (u * hh - x) - s * h * hh) % P, h * a[2] * b[2] % P)


def p256_times(scalar, point):
    result = None
    for bit in bin(scalar)[2:]:
        result = p256_double(result)
        if bit == "1":
            result = p256_add(result, point)
    return result


def der_numbers(der):
    """r and s; None where it is not exactly the DER of two positive integers."""

    def integer(rest):
        if len(rest) < 3 or rest[0] != 2 or not 1 <= rest[1] <= 33 or len(rest) < 2 + rest[1]:
            return None
        body = rest[2 : 2 + rest[1]]
        if body[0] & 0x80 or (len(body) > 1 and body[0] == 0 and not body[1] & 0x80):
            return None
        return int.from_bytes(body, "big"), rest[2 + rest[1] :]

    if len(der) < 2 or der[0] != 0x30 or der[1] != len(der) - 2:
        return None
    first = integer(der[2:])
    second = None if first is None else integer(first[1])
    return None if second is None or second[1] else (first[0], second[0])


def p256_holds(spki, message, der):
    numbers = der_numbers(der)
    return numbers is not None and p256_numbers_hold(spki, message, *numbers)


@functools.lru_cache(maxsize=None)
def p256_numbers_hold(spki, message, r, s):
    x, y = int.from_bytes(spki[27:59], "big"), int.from_bytes(spki[59:], "big")
    if x >= P or y >= P or (y * y - x * x * x + 3 * x - B) % P:
        return False
    if not (0 < r < N and 0 < s < N):
        return False
    w = pow(s, N - 2, N)
    e = int.from_bytes(sha256(message), "big")
    point = p256_add(p256_times(e * w % N, G), p256_times(r * w % N, (x, y, 1)))
    if point is None:
        return False
    return point[0] * pow(point[2] * point[2], P - 2, P) % P % N == r


# ---- Keys and policies


class Key:
    def __init__(self, text, types):
        parts = text.split("+", 2)
        raw = bytes_of(parts[2]) if len(parts) == 3 else None
        if raw is None or not KEY_NAME.fullmatch(parts[0]) or raw[0] not in types:
            raise BadPolicy("a key is none")
        self.name, self.type, self.public = parts[0], raw[0], raw[1:]
        if self.type == 2:
            fits = len(self.public) == 91 and self.public.startswith(P256_HEAD)
            named = self.public
        else:
            fits = len(self.public) == 32
            named = self.name.encode() + b"\n" + raw
        if not fits or sha256(named)[:4].hex() != parts[1]:
            raise BadPolicy("a key is none")
        self.where = (self.name, sha256(named)[:4])

    def signed(self, text, payload):
        message = text.encode()
        if self.type == 1:
            return len(payload) == 64 and ed25519_holds(self.public, message, bytes(payload))
        if self.type == 2:
            return p256_holds(self.public, message, bytes(payload))
        if len(payload) != 72:
            return False
        at = int.from_bytes(payload[:8], "big")
        return ed25519_holds(self.public, f"cosignature/v1\ntime {at}\n".encode() + message, bytes(payload[8:]))


@functools.lru_cache(maxsize=4096)
def policy_of(text):
    return Policy(text)


class Policy:
    def __init__(self, text):
        self.logs, self.witnesses, self.groups, self.quorum = {}, {}, {}, None
        if not text.endswith("\n"):
            raise BadPolicy("no end")
        if any(not (unit in "\t\n" or " " <= unit <= "~" or unit >= "\x80") for unit in text):
            raise BadPolicy("a character")
        members = set()
        for line in text.split("\n"):
            words = re.findall(r"[^ \t]+", line)
            if not words or words[0].startswith("#"):
                continue
            what, rest = words[0], words[1:]
            if what == "log" and len(rest) in (1, 2):
                self.put(self.logs, Key(rest[0], (1, 2)))
            elif what == "witness" and len(rest) in (2, 3):
                key = Key(rest[1], (4,))
                if key.public in [other.public for other in self.witnesses.values()]:
                    raise BadPolicy("a witness is there twice")
                self.put(self.witnesses, key)
                self.name(rest[0], (1, [key.where]))
            elif what == "group" and len(rest) >= 3:
                for member in rest[2:]:
                    if member not in self.groups or member in members:
                        raise BadPolicy("a member")
                    members.add(member)
                count = len(rest) - 2
                least = {"all": count, "any": 1}.get(rest[1]) or number_of(rest[1]) or 0
                if not 1 <= least <= count:
                    raise BadPolicy("a threshold")
                self.name(rest[0], (least, rest[2:]))
            elif what == "quorum" and len(rest) == 1 and self.quorum is None:
                if rest[0] != "none" and rest[0] not in self.groups:
                    raise BadPolicy("the quorum")
                self.quorum = rest[0]
            else:
                raise BadPolicy("a line")
        if self.quorum is None:
            raise BadPolicy("no quorum")
        if {key.public for key in self.logs.values()} & {key.public for key in self.witnesses.values()}:
            raise BadPolicy("a witness is a log")

    def put(self, keys, key):
        if key.where in keys:
            raise BadPolicy("a key is there twice")
        keys[key.where] = key

    def name(self, name, rule):
        if name == "none" or name in self.groups:
            raise BadPolicy("a name")
        self.groups[name] = rule

    def is_met(self, name, signed):
        if name == "none":
            return True
        least, members = self.groups[name]
        return sum(who in signed if type(who) is tuple else self.is_met(who, signed) for who in members) >= least

    def keys_of(self, origin):
        return {where: key for where, key in self.logs.items() if key.name == origin}


# ---- Notes


class Note:
    def __init__(self, note):
        if any(unit < " " and unit != "\n" for unit in note) or not note.endswith("\n"):
            raise Stop("bad_note")
        head, empty, tail = note[:-1].rpartition("\n\n")
        if not empty and not note.endswith("\n\n"):
            raise Stop("bad_note")
        if note.endswith("\n\n"):
            raise Stop("bad_note")
        self.text = head + "\n"
        self.signatures = []
        for line in tail.split("\n"):
            words = line.split(" ")
            if len(words) != 3 or words[0] != "\u2014" or not KEY_NAME.fullmatch(words[1]):
                raise Stop("bad_note")
            raw = bytes_of(words[2])
            if raw is None or len(raw) <= 4:
                raise Stop("bad_note")
            self.signatures.append(((words[1], raw[:4]), raw[4:]))
        if len(self.signatures) > 16:
            raise Stop("bad_note")
        lines = self.text.split("\n")
        if len(lines) != 4 or lines[3] != "" or not KEY_NAME.fullmatch(lines[0]):
            raise Stop("bad_note")
        self.origin, self.size, self.root = lines[0], number_of(lines[1]), hash_of(lines[2])
        if self.size is None or self.root is None:
            raise Stop("bad_note")

    def signers(self, keys, origin):
        by = set()
        for where, payload in self.signatures:
            if where in keys:
                if not keys[where].signed(self.text, payload):
                    raise Stop("bad_signature", origin, self.size)
                by.add(where)
        return by


def anchor_leaf_of(raw):
    """Time, origin, size and root; None where it is no anchor leaf of a checkpoint."""
    lines = raw.decode("latin-1").split("\n")
    if len(lines) != 6 or lines[0] != "auricle-anchor/1" or lines[5] != "" or not is_time(lines[1]):
        return None
    size, root = number_of(lines[3]), hash_of(lines[4])
    return None if size is None or root is None else (lines[1], lines[2], size, root)


# ---- Leaves


def event_of(leaf):
    """None where the bytes are no leaf."""
    if len(leaf) > LONGEST_LEAF or not leaf.startswith(b"auricle-audit/1\n"):
        return None
    try:
        event = read_json(leaf[16:].decode("utf-8"))
        if canonical_depth(event) > 64:
            return None
    except (ValueError, RecursionError):
        return None
    return event if type(event) is dict and is_event(event) else None


def is_event(event):
    def has(where, name, fits):
        return type(where) is dict and name in where and fits(where[name])

    def absent_or(name, fits):
        return name not in event or fits(event[name])

    def is_span(pair):
        return type(pair) is list and len(pair) == 2 and all(map(is_number, pair)) and pair[0] <= pair[1]

    def is_root(value):
        return value is None or (
            has(value, "origin", is_text) and has(value, "size", is_number) and has(value, "root", is_text)
        )

    general = (
        has(event, "v", lambda v: type(v) is int and v == 1)
        and all(has(event, name, is_text) for name in ("id", "tenant", "action"))
        and has(event, "at", is_time)
        and has(event, "actor", lambda who: has(who, "type", is_text) and has(who, "id", is_text))
        and has(event, "object", lambda what: what is None or has(what, "id", is_text))
        and has(event, "private", lambda part: part is None or is_text(part))
        and absent_or("patients", is_texts)
        and absent_or("writer", lambda who: has(who, "id", is_text) and has(who, "n", is_number))
        and absent_or("detail", lambda detail: has(detail, "kind", is_text))
    )
    if not general:
        return False
    action, detail = event["action"], event.get("detail", {})
    kind = detail.get("kind")
    if action == "writer.started":
        return "writer" in event
    if action in ("writer.heartbeat", "writer.stopped"):
        spans = detail.get("acknowledged")
        return (
            "writer" in event
            and kind == "beat"
            and is_number(detail.get("beat"))
            and type(spans) is list
            and all(map(is_span, spans))
        )
    if action == "log.reconciled":
        return kind == "reconciled" and is_texts(detail.get("events"))
    if action == "log.opened":
        return kind == "opened" and has(detail, "previous", is_root)
    return True


# ---- The bundle


class Log:
    def __init__(self, origin, year, first, prefix):
        self.origin, self.year, self.first, self.due, self.size = origin, year, first, first, first
        self.tree, self.broken, self.closed = GrowingTree(first, prefix), False, False
        self.root, self.roots, self.latest = None, {}, {}
        self.first_leaf, self.seen_any, self.anchored = None, False, False


class Writer:
    def __init__(self):
        self.numbers, self.beats, self.started, self.highest = set(), set(), False, None


class Bundle:
    SHAPES = {
        "header": ["format", "tenant", "madeAt", "selection"],
        "policy": ["text"],
        "log": ["origin", "year", "first", "prefix"],
        "leaf": ["seq", "leaf"],
        "hash": ["seq", "hash"],
        "checkpoint": ["note"],
        "anchored": ["origin", "size", "index", "leaf", "proof", "anchorSize"],
        "anchorCheckpoint": ["note"],
        "anchorConsistency": ["from", "to", "proof"],
        "end": ["lines"],
    }
    # Which types may follow which; a log's lines are one place, and so are the anchor's.
    AFTER = {
        None: ("header",),
        "header": ("policy",),
        "policy": ("log", "end"),
        "log": ("log", "leaf", "hash", "checkpoint", "anchored", "anchorCheckpoint", "end"),
        "anchored": ("anchored", "anchorCheckpoint", "end"),
        "anchorCheckpoint": ("anchorConsistency", "anchorCheckpoint", "end"),
        "anchorConsistency": ("anchorCheckpoint",),
        "end": (),
    }

    def __init__(self, policy, trust, at, hours):
        self.policy, self.pinned, self.trust, self.at, self.hours = policy, policy is not None, trust, at, hours
        self.place, self.line, self.findings, self.stopped = None, 0, [], False
        self.tenant, self.selection, self.name, self.logs = None, {}, None, []
        self.events, self.selected, self.withheld = 0, 0, 0
        self.latest, self.told, self.hidden, self.writers = None, None, False, {}
        self.open_until, self.strict = None, True
        self.passed_over, self.backwards = [], []
        self.claims, self.anchors, self.proof, self.newest = {}, [], None, None

    def find(self, kind, code, origin=None, seq=None, line=None):
        if kind == "missing":
            self.hidden = True
        self.findings.append((kind, code, self.line if line is None else line, origin, seq))

    def read(self, raw):
        """Says whether to go on."""
        self.line += 1
        try:
            if raw is None:
                raise Stop("bad_line")
            value = self.value_of(raw)
            getattr(self, "read_" + value["type"])(**{"at_" + name: item for name, item in value.items() if name != "type"})
        except Stop as stop:
            self.find("tampered", stop.code, stop.origin, stop.seq, stop.line)
            self.stopped = True
        return not self.stopped

    def value_of(self, raw):
        try:
            value = read_json(raw.decode("utf-8"))
        except ValueError:
            raise Stop("bad_line") from None
        kind = value.get("type") if type(value) is dict else None
        shape = self.SHAPES.get(kind) if is_text(kind) else None
        if shape is None:
            raise Stop("bad_line")
        names = list(value)
        if names != ["type", *shape] and not (kind == "leaf" and names == ["type", *shape, "private"]):
            raise Stop("bad_line")
        for name in ("year", "first", "seq", "size", "index", "anchorSize", "from", "to", "lines"):
            if name in value and not is_number(value[name]):
                raise Stop("bad_line")
        for name in ("text", "note", "origin"):
            if name in value and not is_text(value[name]):
                raise Stop("bad_line")
        for name in ("leaf", "private"):
            if name in value:
                value[name] = bytes_of(value[name])
                if value[name] is None:
                    raise Stop("bad_line")
        if "hash" in value:
            value["hash"] = hash_of(value["hash"])
            if value["hash"] is None:
                raise Stop("bad_line")
        for name in ("prefix", "proof"):
            if name in value:
                value[name] = hashes_of(value[name])
        if kind == "log" and len(value["prefix"]) != bin(value["first"]).count("1"):
            raise Stop("bad_line")
        return value

    def move(self, kind):
        """To a line of this kind, telling first of a log that ends without a checkpoint."""
        if kind not in self.AFTER[self.place]:
            raise Stop("order")
        if self.place == "log" and kind in ("log", "anchored", "anchorCheckpoint", "end"):
            log = self.logs[-1]
            if not log.closed:
                self.find("missing", "checkpoint", log.origin, log.due)
        self.place = "log" if kind in ("leaf", "hash", "checkpoint") else kind

    def read_header(self, at_format, at_tenant, at_madeAt, at_selection):
        good = at_format == "auricle-evidence/1" and is_text(at_tenant) and TENANT.fullmatch(at_tenant)
        if not good or not is_time(at_madeAt) or type(at_selection) is not dict:
            raise Stop("bad_line")
        order = ["patient", "user", "recording", "from", "to"]
        if list(at_selection) != [name for name in order if name in at_selection]:
            raise Stop("bad_line")
        for name, wanted in at_selection.items():
            if not (is_time(wanted) if name in ("from", "to") else is_text(wanted) and ID.fullmatch(wanted)):
                raise Stop("bad_line")
        self.move("header")
        self.tenant, self.selection = at_tenant, at_selection

    def read_policy(self, at_text):
        self.move("policy")
        try:
            bundled = policy_of(at_text)
        except BadPolicy:
            raise Stop("bad_policy") from None
        if not self.pinned:
            self.policy = bundled
            if not self.trust:
                self.find("unsigned", "not_pinned")

    def read_log(self, at_origin, at_year, at_first, at_prefix):
        self.move("log")
        match = ORIGIN.fullmatch(at_origin) if len(at_origin) <= 255 else None
        if match is None or match[2] != self.tenant or int(match[3]) != at_year or self.name not in (None, match[1]):
            raise Stop("origin", at_origin)
        if self.logs:
            if at_year <= self.logs[-1].year:
                raise Stop("order")
            if at_first:
                self.find("missing", "log_start", at_origin, 0)
        self.name = match[1]
        self.logs.append(Log(at_origin, at_year, at_first, at_prefix))

    def reach(self, seq):
        log = self.logs[-1]
        if seq < log.due:
            raise Stop("order")
        if seq > log.due:
            self.find("missing", "leaf", log.origin, log.due)
            log.broken = True
        log.due, log.closed = seq + 1, False
        return log

    def read_hash(self, at_seq, at_hash):
        self.move("hash")
        log = self.reach(at_seq)
        log.seen_any = True
        log.tree.add(at_hash)
        self.withheld += 1
        self.hidden = True

    def read_leaf(self, at_seq, at_leaf, at_private=None):
        self.move("leaf")
        log = self.reach(at_seq)
        where = (log.origin, at_seq)
        event = event_of(at_leaf)
        if event is None:
            raise Stop("bad_leaf", *where)
        if event["tenant"] != self.tenant:
            raise Stop("tenant", *where)
        if at_private is not None and event["private"] != "sha256:" + sha256(at_private).hex():
            raise Stop("private", *where)
        log.tree.add(leaf_node(at_leaf))
        self.events += 1
        self.selected += self.is_wanted(event)
        is_first = not log.seen_any and at_seq == log.first
        log.seen_any = True
        self.latest = event["at"] if self.latest is None else max(self.latest, event["at"])
        if is_first:
            log.first_leaf = event
            if len(self.logs) == 1:
                self.strict = at_seq == 0 and event["action"] == "log.opened" and event["detail"]["previous"] is None
                self.open_until = milliseconds(event["at"]) + ONE_MINUTE
        if (event["action"] == "log.opened") != (at_seq == 0):
            raise Stop("opening", *where)
        if at_seq == 0:
            self.read_previous(event["detail"]["previous"], log)
        self.count(event, where)
        if event["action"] == "log.opened":
            return
        if self.told is not None and milliseconds(self.told) - milliseconds(event["at"]) > TEN_MINUTES:
            self.backwards.append((event["id"], self.line, where))
        self.told = event["at"] if self.told is None else max(self.told, event["at"])
        if event["action"] == "log.reconciled":
            late = set(event["detail"]["events"])
            self.backwards = [item for item in self.backwards if item[0] not in late]

    def is_wanted(self, event):
        asked = self.selection
        return (
            ("patient" not in asked or asked["patient"] in event.get("patients", []))
            and ("user" not in asked or asked["user"] == event["actor"]["id"])
            and ("recording" not in asked or (event["object"] or {}).get("id") == asked["recording"])
            and ("from" not in asked or asked["from"] <= event["at"])
            and ("to" not in asked or event["at"] < asked["to"])
        )

    def read_previous(self, previous, log):
        where = (log.origin, 0)
        earlier = self.logs[-2] if len(self.logs) > 1 else None
        if previous is None:
            if earlier is not None:
                raise Stop("opening", *where)
            return
        match = ORIGIN.fullmatch(previous["origin"])
        if match is None or match[1] != self.name or match[2] != self.tenant or int(match[3]) >= log.year:
            raise Stop("opening", *where)
        if earlier is None:
            return
        if int(match[3]) < earlier.year:
            raise Stop("opening", *where)
        if int(match[3]) > earlier.year:
            self.find("missing", "year", *where)
        elif earlier.root is not None:
            if previous["size"] > earlier.size:
                self.find("missing", "year_end", *where)
            elif previous["size"] < earlier.size or hash_of(previous["root"]) != earlier.root:
                raise Stop("year_root", *where)

    def count(self, event, where):
        action, actor = event["action"], event["actor"]
        if "writer" not in event:
            is_ours = action == "log.opened" and actor["type"] == "system" and actor["id"] == "log"
            if self.writers and not is_ours:
                self.find("gap", "uncounted", *where)
            return
        writer = self.writers.setdefault(event["writer"]["id"], Writer())
        number = event["writer"]["n"]
        if number in writer.numbers:
            self.find("gap", "number_repeated", *where)
        writer.numbers.add(number)
        if action == "writer.started":
            writer.started = True
        if action not in ("writer.heartbeat", "writer.stopped"):
            return
        beat, spans = event["detail"]["beat"], event["detail"]["acknowledged"]
        is_early = not self.strict and milliseconds(event["at"]) < self.open_until
        if writer.highest is None:
            excused = not self.strict and (beat != 0 or is_early)
            if not writer.started and not excused and not self.hidden:
                self.find("gap", "start", *where)
            if writer.started or self.strict:
                writer.highest = -1
            else:
                writer.highest = beat - 1
                lowest = min(writer.numbers)
                spans = [[max(start, lowest), end] for start, end in spans if end >= lowest]
        if beat in writer.beats:
            self.find("gap", "beat_repeated", *where)
        writer.beats.add(beat)
        if beat > writer.highest + 1:
            self.passed_over.append((writer, writer.highest + 1, beat, self.line, where))
        writer.highest = max(writer.highest, beat)
        if not is_early and not self.hidden and not all(has_all(writer.numbers, *span) for span in spans):
            self.find("gap", "number", *where)

    def read_checkpoint(self, at_note):
        self.move("checkpoint")
        log, note = self.logs[-1], Note(at_note)
        where = (log.origin, note.size)
        if note.origin != log.origin:
            raise Stop("origin", *where)
        if note.size <= log.size or note.size < log.due:
            raise Stop("order")
        keys = self.policy.keys_of(log.origin)
        if not note.signers(keys, log.origin) and keys:
            self.find("unsigned", "checkpoint_unsigned", *where)
        if note.size > log.due:
            self.find("missing", "leaf", log.origin, log.due)
            log.broken = True
        if not log.broken and log.tree.root() != note.root:
            raise Stop("root", *where)
        log.due, log.size, log.root, log.closed = note.size, note.size, note.root, True
        log.roots[note.size], log.latest[note.size] = note.root, self.latest

    def read_anchored(self, at_origin, at_size, at_index, at_leaf, at_proof, at_anchorSize):
        self.move("anchored")
        where = (at_origin, at_size)
        log = next((log for log in self.logs if log.origin == at_origin), None)
        leaf = anchor_leaf_of(at_leaf)
        if log is None or leaf is None or leaf[1:3] != where:
            raise Stop("anchor_leaf", *where)
        if at_size not in log.roots:
            self.find("missing", "checkpoint", *where)
        elif log.roots[at_size] != leaf[3]:
            raise Stop("fork", *where)
        root = root_from_inclusion(at_index, at_anchorSize, leaf_node(at_leaf), at_proof)
        if root is None:
            raise Stop("anchor_proof", *where)
        self.claims.setdefault(at_anchorSize, []).append((root, self.line, where))
        if at_size == log.size:
            log.anchored = True
        self.newest = leaf[0] if self.newest is None else max(self.newest, leaf[0])
        latest = log.latest.get(at_size)
        if latest is not None and milliseconds(latest) - milliseconds(leaf[0]) > TEN_MINUTES:
            self.find("gap", "time_ahead", *where)

    def read_anchorConsistency(self, at_from, at_to, at_proof):
        self.move("anchorConsistency")
        if at_from != self.anchors[-1].size or at_to <= at_from:
            raise Stop("order")
        self.proof = (at_to, at_proof)

    def read_anchorCheckpoint(self, at_note):
        self.move("anchorCheckpoint")
        note, origin = Note(at_note), f"{self.name}/anchor"
        where = (origin, note.size)
        before = self.anchors[-1] if self.anchors else None
        if note.origin != origin:
            raise Stop("origin", *where)
        if before is not None and note.size <= before.size or self.proof is not None and self.proof[0] != note.size:
            raise Stop("order")
        by = note.signers(self.policy.keys_of(origin), origin)
        note.cosigners = note.signers(self.policy.witnesses, origin)
        if not by:
            self.find("unsigned", "anchor_unsigned", *where)
        if before is not None and self.proof is None:
            self.find("missing", "anchor_consistency", *where)
        elif before is not None:
            roots = None
            if before.size > 0:
                roots = roots_from_consistency(before.size, note.size, self.proof[1], before.root)
            if roots != (before.root, note.root):
                raise Stop("consistency", *where)
        for root, line, claimed in self.claims.pop(note.size, []):
            if root != note.root:
                raise Stop("anchor_proof", *claimed, line=line)
        note.line, self.proof = self.line, None
        self.anchors = [note]

    def read_end(self, at_lines):
        self.move("end")
        if at_lines != self.line - 1:
            self.find("missing", "lines")
        if not self.logs:
            return self.find("missing", "log")
        if not self.hidden:
            for writer, start, end, line, where in self.passed_over:
                if not has_all(writer.beats, start, end - 1):
                    self.find("gap", "beat", *where, line=line)
            for _, line, where in self.backwards:
                self.find("gap", "time", *where, line=line)
        for log in self.logs:
            if log.root is not None and not log.anchored:
                self.find("missing", "anchored", log.origin, log.size)
        for claims in self.claims.values():
            self.find("missing", "anchor_checkpoint", *claims[0][2], line=claims[0][1])
        for note in self.anchors:
            if not self.policy.is_met(self.policy.quorum, note.cosigners):
                self.find("unsigned", "quorum", note.origin, note.size, line=note.line)
        if not self.reaches_back():
            self.find("missing", "selection_start")
        if self.newest is not None:
            end = self.selection.get("to")
            if end is not None and milliseconds(end) <= self.at and self.newest < end:
                self.find("missing", "selection_end")
            if self.at - milliseconds(self.newest) > self.hours * 3_600_000:
                self.find("stale", "old")
        return None

    def reaches_back(self):
        log, start = self.logs[0], self.selection.get("from")
        if log.first_leaf is None:
            return True
        if log.first_leaf["action"] == "log.opened" and log.first_leaf["detail"]["previous"] is None:
            return True
        if start is None:
            return False
        if log.first == 0 and start >= f"{log.year}-01-01T00:00:00.000Z":
            return True
        return milliseconds(start) - milliseconds(log.first_leaf["at"]) >= TEN_MINUTES

    def report(self, damage, rest):
        if damage is not None:
            # Nothing of it counts.
            self.findings, self.logs = [], []
            self.events = self.selected = self.withheld = 0
            self.find("tampered" if damage == "gzip" else "missing", damage, line=0)
        elif not self.stopped:
            self.line += 1
            if rest:
                self.find("missing", "cut")
            elif self.place != "end":
                self.find("missing", "end")
        found = {finding[0] for finding in self.findings}
        return {
            "verdict": next((kind for kind in CLASSES if kind in found), "ok"),
            "pinned": "policy" if self.pinned else "bundle" if self.trust else "nothing",
            "findings": [
                dict(zip(("class", "code", "line", "origin", "seq"), finding))
                for finding in sorted(self.findings[:1000], key=lambda finding: finding[2])
            ],
            "logs": [
                {
                    "origin": log.origin,
                    "first": log.first,
                    "size": log.size,
                    "root": None if log.root is None else base64.b64encode(log.root).decode(),
                }
                for log in self.logs
            ],
            "events": self.events,
            "selected": self.selected,
            "withheld": self.withheld,
        }


def has_all(numbers, start, end):
    return end - start < len(numbers) and all(number in numbers for number in range(start, end + 1))


def pieces_of(file):
    while True:
        piece = file.read(65_536)
        if not piece:
            return
        yield piece


def unpacked(file, damage):
    """The bytes of a gzip file; what is wrong with it comes into the list `damage`."""
    member = zlib.decompressobj(31)
    try:
        for piece in pieces_of(file):
            while piece:
                if member.eof:
                    if piece[0] == 0:
                        raise zlib.error("no member")
                    member = zlib.decompressobj(31)
                yield member.decompress(piece)
                piece = member.unused_data
    except zlib.error:
        damage.append("gzip")
        return
    if not member.eof:
        damage.append("gzip_cut")


def verify(path, policy, trust, at, hours):
    bundle, damage, rest = Bundle(policy, trust, at, hours), [], b""
    with open(path, "rb") as file:
        is_packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        for piece in unpacked(file, damage) if is_packed else pieces_of(file):
            if bundle.stopped:
                # A packed file is unpacked to its end in any case.
                continue
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                if not bundle.read(line if len(line) <= LONGEST_LINE else None):
                    break
            if not bundle.stopped and len(rest) > LONGEST_LINE:
                bundle.read(None)
    report = bundle.report(damage[0] if damage else None, rest)
    return report, {"ok": 0, "tampered": 1}.get(report["verdict"], 2)


# ---- Certificates of destruction


class BadKeys(Exception):
    pass


USER, RULE = "usr", "rul"
STORES = ("primary", "recovery")
METHOD = {
    "guidance": "NIST SP 800-88r2",
    "sanitization": "clear",
    "objects": "deleted_by_generation",
    "database": "wraps_and_sealed_columns_removed",
}


def from_url64(text):
    """Of base64url without padding; None where it is none, or empty."""
    if not is_text(text) or not re.fullmatch(r"[A-Za-z0-9_-]+", text):
        return None
    padded = text.translate(str.maketrans("-_", "+/")) + "=" * (-len(text) % 4)
    return bytes_of(padded)


def keys_in(text):
    """By kid: alg and the bytes of the key."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise BadKeys("no JSON") from None
    if type(value) is not dict or type(value.get("keys")) is not list:
        raise BadKeys("no list of keys")
    found = {}
    for key in value["keys"]:
        if type(key) is not dict or not is_text(key.get("kid")):
            continue
        kind = (key.get("kty"), key.get("crv"))
        numbers = {("OKP", "Ed25519"): ["x"], ("EC", "P-256"): ["x", "y"]}.get(kind) if all(map(is_text, kind)) else None
        parts = [from_url64(key.get(name)) for name in numbers or []]
        if numbers is None or any(part is None or len(part) != 32 for part in parts):
            continue
        found.setdefault(key["kid"], ("EdDSA" if kind[0] == "OKP" else "ES256", b"".join(parts)))
    return found


def is_kind(prefix):
    return lambda value: is_text(value) and ID.fullmatch(value) is not None and value.startswith(prefix + "_")


def is_name(value):
    return is_text(value) and re.fullmatch(r"[!-~]+", value) is not None


def one_of(*words):
    return lambda value: is_text(value) and value in words


def null_or(fits):
    return lambda value: value is None or fits(value)


def every(fits):
    return lambda value: type(value) is list and all(map(fits, value))


def record(**members):
    return lambda value: (
        type(value) is dict and set(value) == set(members) and all(fits(value[name]) for name, fits in members.items())
    )


PLACE = {
    "index": is_number,
    "size": is_number,
    "leaf": lambda value: bytes_of(value) is not None,
    "proof": every(lambda value: hash_of(value) is not None),
    "checkpoint": is_text,
}
IS_CLAIMS = record(
    jti=is_kind("crt"),
    tenant=is_kind("ten"),
    recording=is_kind("rec"),
    disposition=is_kind("dsp"),
    kind=one_of("voicemail", "recording"),
    receivedAt=is_time,
    destroyedAt=is_time,
    keptUntil=is_time,
    lastCopyAt=is_time,
    rule=record(id=is_kind(RULE), version=is_number),
    proposedBy=null_or(is_kind(USER)),
    approvers=every(record(at=is_time, id=is_kind(USER), stage=is_number)),
    holdCheck=record(at=is_time, holds=lambda value: is_number(value) and value == 0),
    objects=lambda value: value != []
    and every(
        record(
            store=one_of(*STORES),
            key=is_name,
            generation=is_name,
            role=one_of("original", "playback", "peaks", "intake", "stray"),
            bytes=is_number,
            fingerprint=null_or(lambda text: is_text(text) and re.fullmatch(r"[0-9a-f]{64}", text) is not None),
            destroyedAt=is_time,
            restorableUntil=null_or(is_time),
        )
    )(value),
    method=record(
        remains=every(record(what=one_of("copies", "database_free_space", "log_private_parts"), sealedUnder=is_name)),
        **{name: one_of(word) for name, word in METHOD.items()},
    ),
    copies=every(record(where=one_of(*STORES, "database_backups"), until=is_time)),
    iss=is_name,
    iat=is_number,
    log=record(origin=is_name, anchor=record(**PLACE), **PLACE),
)
IS_HEADER = record(
    alg=one_of("EdDSA", "ES256"), kid=is_text, typ=one_of("auricle-certificate+jwt")
)


def agrees_with_itself(claims):
    end = claims["destroyedAt"]
    people = [claims["proposedBy"]] + [one["id"] for one in claims["approvers"]]
    names = [(one["store"], one["key"], one["generation"]) for one in claims["objects"]]
    if len(set(people)) < len(people) or len(set(names)) < len(names):
        return False
    if [one["stage"] for one in claims["approvers"]] != list(range(1, len(claims["approvers"]) + 1)):
        return False
    times = [one["at"] for one in claims["approvers"]] + [one["destroyedAt"] for one in claims["objects"]]
    times.append(claims["holdCheck"]["at"])
    if claims["keptUntil"] > end or any(milliseconds(time) - milliseconds(end) > TEN_MINUTES for time in times):
        return False
    wanted = []
    for store in STORES:
        untils = [one["restorableUntil"] for one in claims["objects"] if one["store"] == store]
        latest = max((until for until in untils if until is not None and until > end), default=None)
        if latest is not None:
            wanted.append({"until": latest, "where": store})
    backups = claims["copies"][len(wanted) :]
    if claims["copies"][: len(wanted)] != wanted or len(backups) > 1:
        return False
    if any(one["where"] != "database_backups" or one["until"] <= end for one in backups):
        return False
    return claims["lastCopyAt"] == max([end] + [one["until"] for one in claims["copies"]])


def check_event(claims):
    said = {name: value for name, value in claims.items() if name not in ("iat", "iss", "log")}
    event = event_of(bytes_of(claims["log"]["leaf"]))
    if event is None:
        raise Stop("bad_leaf")
    text = json.dumps(said, ensure_ascii=False, separators=(",", ":"))
    wanted = {
        "kind": "disposal",
        "disposition": said["disposition"],
        "rule": said["rule"]["id"],
        "version": said["rule"]["version"],
        "objects": len(said["objects"]),
        "bytes": sum(one["bytes"] for one in said["objects"]),
        "claims": base64.b64encode(sha256(text.encode())).decode(),
    }
    detail, what = event.get("detail", {}), event["object"] or {}
    same = all(type(detail.get(name)) is type(value) and detail[name] == value for name, value in wanted.items())
    where = (event["action"], event["tenant"], event["at"], what.get("type"), what.get("id"))
    if not same or where != (
        "recording.disposed",
        said["tenant"],
        said["destroyedAt"],
        "recording",
        said["recording"],
    ):
        raise Stop("event")


def signed_head(place, origin, keys):
    note = Note(place["checkpoint"])
    if (note.origin, note.size) != (origin, place["size"]):
        raise Stop("origin")
    return note, note.signers(keys, origin)


def check_log(claims, policy, find):
    log = claims["log"]
    match = ORIGIN.fullmatch(log["origin"])
    if len(log["origin"]) > 255 or match is None or (match[1], match[2]) != (claims["iss"], claims["tenant"]):
        raise Stop("origin")
    keys = policy.keys_of(log["origin"])
    head, by = signed_head(log, log["origin"], keys)
    if keys and not by:
        find("unsigned", "checkpoint_unsigned")
    if root_of_place(log) != head.root:
        raise Stop("proof")
    leaf = anchor_leaf_of(bytes_of(log["anchor"]["leaf"]))
    if leaf is None or leaf[1:3] != (log["origin"], log["size"]):
        raise Stop("anchor_leaf")
    if leaf[3] != head.root:
        raise Stop("fork")
    origin = claims["iss"] + "/anchor"
    keys = policy.keys_of(origin)
    above, by = signed_head(log["anchor"], origin, {**keys, **policy.witnesses})
    if not by & set(keys):
        find("unsigned", "anchor_unsigned")
    if root_of_place(log["anchor"]) != above.root:
        raise Stop("anchor_proof")
    if not policy.is_met(policy.quorum, by):
        find("unsigned", "quorum")


def root_of_place(place):
    proof = [hash_of(text) for text in place["proof"]]
    return root_from_inclusion(place["index"], place["size"], leaf_node(bytes_of(place["leaf"])), proof)


def part_of(text, fits):
    raw = from_url64(text)
    try:
        value = read_json((raw or b"").decode("utf-8"))
        if canonical_depth(value) > 64 or not fits(value):
            raise Stop("bad_certificate")
    except (ValueError, RecursionError):
        raise Stop("bad_certificate") from None
    return value


def verify_certificate(raw, keys, policy):
    findings, claims = [], None
    try:
        text = raw.decode("latin-1")
        parts = (text[:-1] if text.endswith("\n") else text).split(".")
        signature = from_url64(parts[2]) if len(parts) == 3 else None
        if len(raw) > 131_072 or signature is None or len(signature) != 64:
            raise Stop("bad_certificate")
        header = part_of(parts[0], IS_HEADER)
        claims = part_of(parts[1], IS_CLAIMS)
        signed = f"{parts[0]}.{parts[1]}".encode()
        alg, public = keys.get(header["kid"], (None, b""))
        if alg is None:
            findings.append(("unsigned", "unknown_key"))
        elif alg != header["alg"]:
            raise Stop("bad_signature")
        elif alg == "EdDSA" and not ed25519_holds(public, signed, signature):
            raise Stop("bad_signature")
        elif alg == "ES256":
            numbers = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
            if not p256_numbers_hold(P256_HEAD + public, signed, *numbers):
                raise Stop("bad_signature")
        if not agrees_with_itself(claims):
            raise Stop("incoherent")
        check_event(claims)
        check_log(claims, policy, lambda kind, code: findings.append((kind, code)))
    except Stop as stop:
        findings.append(("tampered", stop.code))
    found = {kind for kind, _ in findings}
    said = claims or {}
    report = {
        "verdict": next((kind for kind in CLASSES if kind in found), "ok"),
        "findings": [{"class": kind, "code": code} for kind, code in findings],
        "certificate": said.get("jti"),
        "recording": said.get("recording"),
        "destroyedAt": said.get("destroyedAt"),
        "lastCopyAt": said.get("lastCopyAt"),
    }
    return report, {"ok": 0, "tampered": 1}.get(report["verdict"], 2)


def certificate_files(certificate, jwks, policy):
    with open(jwks, "rb") as file:
        keys = keys_in(file.read().decode("utf-8"))
    trusted = policy_in(policy)
    with open(certificate, "rb") as file:
        return verify_certificate(file.read(), keys, trusted)


# ---- The command


def policy_in(path):
    with open(path, "rb") as file:
        return policy_of(file.read().decode("utf-8"))


def run_batch(path):
    with open(path, encoding="utf-8") as jobs:
        for text in jobs:
            job = json.loads(text)
            try:
                if "certificate" in job:
                    report, code = certificate_files(job["certificate"], job["jwks"], job["policy"])
                    print(json.dumps({"exit": code, "report": report}))
                    continue
                policy = None if job["policy"] is None else policy_in(job["policy"])
                report, code = verify(
                    job["bundle"], policy, job["trust"], milliseconds(job["at"]), job["maxAgeHours"]
                )
                print(json.dumps({"exit": code, "report": report}))
            except (BadPolicy, BadKeys, UnicodeDecodeError, OSError):
                print(json.dumps({"exit": 3, "report": None}))
    return 0


def arguments(words):
    rest, given = list(words), {"at": None, "hours": 24, "policy": None, "json": False, "trust": False}
    bundles = []
    while rest:
        word = rest.pop(0)
        if word in ("--json", "--trust-bundled-policy"):
            given["json" if word == "--json" else "trust"] = True
        elif word in ("--policy", "--at", "--max-age-hours"):
            if not rest:
                raise Unusable(f"{word} needs a value")
            given[{"--policy": "policy", "--at": "at"}.get(word, "hours")] = rest.pop(0)
        elif word.startswith("-"):
            raise Unusable(__doc__)
        else:
            bundles.append(word)
    if len(bundles) != 1:
        raise Unusable(__doc__)
    if given["at"] is None:
        at = datetime.datetime.now(datetime.timezone.utc)
    else:
        try:
            at = datetime.datetime.fromisoformat(given["at"].replace("Z", "+00:00"))
        except ValueError:
            raise Unusable("--at needs a time such as 2026-11-22T14:00:00Z") from None
        at = at if at.tzinfo else at.replace(tzinfo=datetime.timezone.utc)
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,3})?", str(given["hours"])):
        raise Unusable("--max-age-hours needs a number")
    return bundles[0], given, int(at.timestamp() * 1000), float(given["hours"])


def main_certificate(words):
    rest, files, as_json = list(words), {}, False
    try:
        while rest:
            word = rest.pop(0)
            if word == "--json":
                as_json = True
            elif word in ("--certificate", "--jwks", "--policy") and word not in files and rest:
                files[word] = rest.pop(0)
            else:
                raise Unusable(__doc__)
        if len(files) != 3:
            raise Unusable(__doc__)
        report, code = certificate_files(files["--certificate"], files["--jwks"], files["--policy"])
    except (BadPolicy, BadKeys, Unusable, UnicodeDecodeError, OSError) as error:
        print(error, file=sys.stderr)
        return 3
    if as_json:
        print(json.dumps(report, separators=(",", ":")))
    else:
        print(report["verdict"])
        for finding in report["findings"]:
            print(f"{finding['class']}  {finding['code']}")
    return code


def main(words):
    if len(words) == 2 and words[0] == "--batch":
        return run_batch(words[1])
    if "--certificate" in words:
        return main_certificate(words)
    try:
        path, given, at, hours = arguments(words)
        policy = None if given["policy"] is None else policy_in(given["policy"])
        report, code = verify(path, policy, given["trust"], at, hours)
    except (BadPolicy, Unusable, UnicodeDecodeError, OSError) as error:
        print(error, file=sys.stderr)
        return 3
    if given["json"]:
        print(json.dumps(report, separators=(",", ":")))
    else:
        print(report["verdict"])
        for finding in report["findings"]:
            print("  ".join(str(finding[name]) for name in ("class", "code", "line", "origin", "seq")))
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
