#!/usr/bin/env python3
"""Judges every vector of a folder with client.py: vectors.py FOLDER"""
import json, pathlib, sys
from client import Refused, answer, chain, point, verify


def judge(v):
    kind = v["kind"]
    if kind == "key":
        point(v["key"])
    elif kind == "chain":
        chain(v["roots"], v)
    elif kind == "answer":
        answer(v["roots"], v, v)
    else:
        verify(kind, v["token"].replace("*", "ICAg" * v.get("fill", 0)), *filter(None, [v.get("key")]))


def main(folder):
    counts, wrong = {"refused": 0, "accepted": 0}, []
    for path in sorted(pathlib.Path(folder).glob("*.json")):
        book = json.loads(path.read_text())
        for vector in book["vectors"]:
            try:
                judge(book["usual"] | vector)
                said = "accepted"
            except Refused:
                said = "refused"
            counts[said] += 1
            if said != vector["expected"]:
                wrong.append(f"{vector['id']}: {said}, should be {vector['expected']} ({vector['reason']})")
    print("\n".join(wrong + [f"{counts['refused']} refused and {counts['accepted']} accepted"]))
    return not wrong and sum(counts.values()) > 0


if __name__ == "__main__":
    sys.exit(0 if main(*sys.argv[1:]) else 1)
