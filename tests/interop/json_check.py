# SPDX-License-Identifier: MIT
"""What the json console wrote: is it valid, and is it what was logged?

json_check.py JSON EXPECTED    texts and key/values, as json_console.c logged them
json_check.py JSON lost=N      numbers with a gap, and notices that sum up to N
"""
import codecs
import datetime
import json
import sys

SEVERITY = {"emerg": 21, "alert": 19, "crit": 18, "err": 17,
            "warn": 13, "notice": 10, "info": 9, "debug": 5}
LEVELS = list(SEVERITY)
TYPES = {"ts": str, "mono_us": int, "level": str, "severity": int, "seq": int,
         "tid": int, "handler": bool, "thread": str, "subsystem": str,
         "file": str, "line": int, "func": str, "msg": str, "fields": dict,
         "facility": int, "cont": bool, "late": bool, "truncated": bool,
         "notice": bool, "lost": int}


def one_by_one(error):
    return "\ufffd", error.start + 1


def once(pairs):
    keys = [key for key, _ in pairs]
    assert len(keys) == len(set(keys)), f"a key comes twice: {keys}"
    return dict(pairs)


def lines_of(name):
    data = open(name, "rb").read()
    assert data.endswith(b"\n"), "the last line has no end"
    for line in data[:-1].split(b"\n"):
        assert len(line) < 16384, f"{len(line)} bytes in a line"
        for byte in line:
            assert byte >= 0x20 and byte != 0x7f, f"a raw {byte:#x}"
        record = json.loads(line.decode("utf-8", "strict"),
                            object_pairs_hook=once)
        for key, value in record.items():
            assert type(value) is TYPES[key], f"{key}: {value!r}"
        assert record["severity"] == SEVERITY[record["level"]]
        when = datetime.datetime.strptime(record["ts"],
                                          "%Y-%m-%dT%H:%M:%S.%fZ")
        now = datetime.datetime.now(datetime.timezone.utc)
        age = now.replace(tzinfo=None) - when
        assert abs(age.total_seconds()) < 86400, record["ts"]
        yield record


def text_of(hexadecimal):
    return bytes.fromhex(hexadecimal).decode("utf-8", "one_by_one")


def fields_of(words):
    fields = {}
    for key, value in zip(words[0::2], words[1::2]):
        fields.setdefault(text_of(key), []).append(text_of(value))
    return {key: values if len(values) > 1 else values[0]
            for key, values in fields.items()}


def compare(records, name):
    count = 0
    for line in open(name, encoding="ascii"):
        words = line.rstrip("\n").split(" ")
        record = next(records)
        assert record["seq"] == count, (record, count)
        assert record["level"] == LEVELS[int(words[0])], record
        assert record["msg"] == text_of(words[1]), (record, words[1])
        assert record.get("fields", {}) == fields_of(words[2:]), record
        assert record["thread"] == 'm\u00e4in "x"', record
        count += 1
    assert next(records, None) is None, "more records than were logged"
    assert count > 3000


def account(records, lost):
    told = new = 0
    before = None
    for record in records:
        if record.get("notice"):
            assert "seq" not in record
            new += record.get("lost", 0)
            continue
        if before is not None:
            gap = record["seq"] - before - 1
            assert gap == new, f"{gap} missing, {new} told: {record}"
        before = record["seq"]
        told += new
        new = 0
    assert told == lost, f"{told} told, {lost} lost"


codecs.register_error("one_by_one", one_by_one)
if sys.argv[2].startswith("lost="):
    account(lines_of(sys.argv[1]), int(sys.argv[2][5:]))
else:
    compare(lines_of(sys.argv[1]), sys.argv[2])
