import json, sys, tempfile, traceback
from pathlib import Path

sys.path.insert(0, "tests/services")
sys.path.insert(0, ".")
from world import World
from forklab.services.graph import Kind

O = "/work/shared/research/services/oracle/"
facts = json.load(open(O + "facts.json"))
obs = json.load(open(O + "observations.json"))["facts"]
only = sys.argv[1:]
ok = bad = skip = 0
SH = ("sh rm", "sh touch /etc")
for f in facts:
    if only and f["id"] not in only:
        continue
    o = obs[f["id"]]
    with tempfile.TemporaryDirectory() as d:
        d = Path(d)
        for n, t in f["units"].items():
            (d / n).parent.mkdir(exist_ok=True, parents=True)
            (d / n).write_text(t)
        unsupported = [
            s
            for s in f["do"]
            if s.split()[0] not in ("start", "stop", "restart", "reload", "wait", "show", "log")
            and not s.startswith(SH)
        ]
        if unsupported:
            skip += 1
        if unsupported and not only:
            continue
        try:
            w = World(d)
            rcs = []
            shows = []
            for s in f["do"]:
                verb, *args = s.split()
                block = "--no-block" not in args
                args = [a for a in args if not a.startswith("--")]
                if verb == "wait":
                    w.wait(float(args[0]))
                elif verb in ("start", "stop", "restart", "reload"):
                    rcs.append(w.request(Kind(verb), *args, block=block))
                elif verb == "show":
                    shows.append({u: "/".join(w.show(u).split("/")[1:4]) for u in args})
                elif verb == "sh":
                    rcs.append(0)
            end = {u: w.show(u) for u in o["252"]["end"]}
            got = dict(rcs=rcs, end=end, log=w.log, shows=shows)
        except Exception as e:
            traceback.print_exc() if only else None
            got = {"crash": repr(e)}
        same = [
            v
            for v in ("252", "257")
            if v in o
            and all(got.get(k) == o[v].get(k) for k in ("rcs", "end", "shows"))
            and sorted(got.get("log", [])) == sorted(o[v]["log"])
        ]
        if same and "w" in dir():
            from collections import Counter

            a = Counter(m for m in w.said)
            b = Counter(o.get("messages_252", []))
            if a != b and len(o.get("messages_252", [])) < 14:
                print(
                    "msg",
                    f["id"],
                    "ours+",
                    list((a - b).elements())[:5],
                    "theirs+",
                    list((b - a).elements())[:5],
                )
        if same:
            ok += 1
        else:
            bad += 1
            print("---", f["id"])
            if "crash" in got:
                print(got)
            for k in got:
                if (
                    k in o["252"]
                    and got[k] != o["252"][k]
                    and not (k == "log" and sorted(got[k]) == sorted(o["252"][k]))
                ):
                    if isinstance(got[k], dict):
                        for u in got[k]:
                            if got[k][u] != o["252"][k].get(u):
                                print("  end", u, "ours", got[k][u], "theirs", o["252"][k].get(u))
                    else:
                        print("  ", k, "ours", got[k], "\n     theirs", o["252"][k])
            if only:
                print("\n".join(w.said))
                print(*w.problems, sep="\n")
                print(f["units"], f["do"])
print(ok, "same", bad, "differ", skip, "skipped")
