#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Print the records of a log's memory image, as /dev/kmsg would.

    image.py FILE

Written from docs/FORMAT.md alone, for any word size and byte order. What
Python's % cannot render, it shows as %!conversion; of the %p extensions it
knows %pI4, %pM and %*ph.
"""
import re
import struct
import sys

FIELDS = ("version endian word head needs offers session state clear clock "
          "accounts names name_bytes name_count dict blocks block_state "
          "block_slots block_bytes block_count lanes slots data_offset units "
          "dict_bytes").split()
CONVERSION = re.compile(
    r"%(?P<flags>[-+ #0']*)(?P<width>\*|\d*)(?:\.(?P<precision>\*|\d*))?"
    r"(?P<length>hh|h|ll|l|j|z|t|L|q)?(?P<conv>p(?:[Ii][46]\w?|[Mm][FR]?|U\w?"
    r"|e|h[CDN]?)?|[diouxXeEfFgGaAcsn%])")
EXTENSION_BYTES = {"I4": 4, "i4": 4, "I6": 16, "i6": 16, "M": 6, "m": 6, "U": 16}


class Image:
    def __init__(self, data):
        self.data = data
        if data[:16] != b"lpk log\x1a\r\n\0\0\0\0\0\0":
            raise ValueError("not the image of a log")
        self.order = "<" if data[20:24] == b"\x04\x03\x02\x01" else ">"
        self.__dict__.update(zip(FIELDS, self.get(16, "I" * len(FIELDS))))
        if self.endian != 0x01020304 or self.version >> 16 != 1 or self.needs:
            raise ValueError("of a format that this program does not know")
        self.letter = {4: "I", 8: "Q"}[self.word]
        self.half = 8 * self.word // 2
        seq, = self.get(self.clock, self.letter)
        (self.raw0, self.ns0, _, self.raw1, self.ns1, _, self.hz) = \
            self.get(self.clock + 8, "Q" * 7) if seq else (0,) * 7

    def get(self, at, letters):
        return struct.unpack_from(self.order + letters, self.data, at)

    def time_us(self, raw):
        ns, ticks = self.ns1 - self.ns0, self.raw1 - self.raw0
        if ns < 100000 or ticks <= 0:
            ns, ticks = 10**9, self.hz or 10**9
        since = (raw - self.raw1 + 2**63) % 2**64 - 2**63
        return max(0, self.ns1 + since * ns // ticks) // 1000

    def entry(self, number):
        """Of the dictionary: format, prefix, arguments, level, flags."""
        at = (number - 1) * 8
        if number == 0 or at + 24 > self.dict_bytes:
            return None
        at += self.dict
        size, mark, _, level, flags, prefix, _, _, _, own, count = \
            self.get(at, "IIIBBHHHHBB")
        if mark != 0x7964616F or not 24 < size <= 4096:
            return None
        body = self.data[at:at + size]
        string = lambda begin: body[begin:].split(b"\0")[0].decode("latin-1")
        text = string(24)
        if flags & 1 and text[:1] == "\1":  # a KERN_x in front
            text = text[2:]
        return text, string(prefix), count, level & 7, own

    def render(self, text, count, payload):
        """A format with the arguments of a record."""
        words = list(self.get(0, "")) if not count else list(
            struct.unpack_from(f"{self.order}{count}Q", payload))
        tail = [payload[8 * count:]]
        signed = lambda value, bits: (value + 2**(bits - 1)) % 2**bits - 2**(bits - 1)

        def bytes_of(size):
            found = tail[0][:size]
            tail[0] = tail[0][(size + 7) // 8 * 8:]
            return found

        def one(match):
            flags, width, precision, length, conv = match.groups()
            if conv == "%":
                return "%"
            stars = [signed(words.pop(0), 32) for part in (width, precision)
                     if part == "*"]
            value = words.pop(0)
            extended = conv[0] == "p" and len(conv) > 1
            if conv == "s" or extended and conv[1] in "IiMmUh":
                raw = None if value == 2**64 - 1 else bytes_of(value)
                value = "(null)" if raw is None else raw.decode("latin-1")
                if extended and raw is not None:
                    joint = {"I4": ".", "M": ":", "h": " ", "hC": ":",
                             "hD": "-", "hN": ""}.get(conv[1:])
                    if joint is None:
                        return "%!" + match.group(0)[1:]
                    form = "%d" if conv[1] == "I" else "%02x"
                    return joint.join(form % byte for byte in raw)
            elif conv == "p":
                flags, conv, value = flags, "s", hex(value) if value else "(nil)"
            elif conv == "c":
                value = chr(value & 255)
            elif conv in "diouxX":
                bits = 8 * {"hh": 1, "h": 2, "": 4, "l": self.word,
                            "z": self.word, "t": self.word}.get(length or "", 8)
                value = signed(value, bits) if conv in "di" else value % 2**bits
                if conv == "o" and "#" in flags:  # Python writes 0o
                    flags, conv, value = flags.replace("#", ""), "s", f"0{value:o}"
                if "0" in flags and precision is not None:
                    flags = flags.replace("0", "")
            elif conv in "eEfFgG":
                value, = struct.unpack("d", struct.pack("Q", value))
            else:
                return "%!" + match.group(0)[1:]
            if precision == "*" and stars[-1] < 0:
                precision = None
                stars.pop()
            spec = "%" + flags.replace("'", "") + width + (
                "" if precision is None else "." + precision) + conv
            return spec % (*stars, value)
        return CONVERSION.sub(one, text)

    def record(self, at, size):
        """One record: level and facility, time, caller, flags, text, pairs."""
        raw, caller, meta = self.get(at, "QII")
        payload = self.data[at + 16:at + size]
        pairs = []
        if meta >> 31:
            entry = self.entry(meta & 0x7FFFFFFF)
            if entry is None:
                entry = "(message of an unknown call site)", "", 0, 6, 0
            text, prefix, count, prio, flags = entry
            text = (prefix + self.render(text, count, payload)).encode("latin-1")
            text = text[:-1] if text[-1:] == b"\n" else text
        else:
            prio, flags = meta >> 16 & 7 | (meta >> 19 & 31) << 3, meta >> 24
            text = payload[4:4 + (meta & 0xFFFF)]
            if flags & 0x20:
                length, = struct.unpack(self.order + "H", text[:2])
                pairs = text[2 + length:].split(b"\0")[:-1]
                text = text[2:2 + length]
        return raw, prio, caller, flags, text, pairs

    def streams(self):
        """The blocks in the order of their opening, with what they hold."""
        for number in range(self.block_count):
            at = self.blocks + number * self.block_bytes
            life, _, past, final, _ = self.get(at, self.letter * 5)
            if life == 0 or life & 1:
                continue
            opened, = self.get(at + 5 * self.word, "Q")
            state, = self.get(at + self.block_state, self.letter)
            count = min(final - 1 if final else state >> self.half, self.slots)
            slots = self.get(at + self.block_slots, "I" * count)
            places = [(at + self.data_offset + (slot >> 16) * 8,
                       (slot >> 1 & 0x7FFF) * 8) for slot in slots if slot]
            yield opened, past, [self.record(*place) for place in places]

    def records(self):
        streams = sorted(self.streams(), key=lambda stream: stream[0])
        seq = sum(past for _, past, _ in streams)
        streams = [(opened, records[::-1]) for opened, _, records in streams]
        while True:
            best = None
            for opened, records in streams:
                if best and opened > best[-1][0]:
                    break
                if records and (not best or records[-1][0] < best[-1][0]):
                    best = records
            if not best:
                return
            yield (seq, *best.pop())
            seq += 1


def escape(text):
    return "".join(chr(c) if 32 <= c < 127 and c != 92 else f"\\x{c:02x}"
                   for c in text)


def main():
    with open(sys.argv[1], "rb") as file:
        image = Image(file.read())
    for seq, raw, prio, caller, flags, text, pairs in image.records():
        who = ("S" if caller >> 31 else "T") + str(caller & 0x7FFFFFFF)
        print(f"{prio},{seq},{image.time_us(raw)},{'c' if flags & 2 else '-'},"
              f"caller={who};{escape(text)}")
        for pair in pairs:
            print(" " + escape(pair))


if __name__ == "__main__":
    main()
