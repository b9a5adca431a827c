"""usage: pytest with SETNAME env: prints refusals and misses"""

import os
import pytest
from tests import report_sets
from tests.factories import load_bank
from tests import test_recorded_reports as t

pytestmark = pytest.mark.django_db


def test_measure():
    load_bank()
    t._checks.cache_clear()
    tot = [0, 0, 0, 0]
    for name in os.environ["SETNAME"].split(","):
        for lang in report_sets.LANGS:
            g = gr = b = bm = 0
            import tomllib

            path = report_sets.FOLDER / (f"{lang}.toml" if name == "tuned" else f"{lang}.{name}.toml")
            data = tomllib.loads(path.read_text())
            for each in report_sets.recorded(lang, name):
                why = t.reasons(each)
                if each.good:
                    g += 1
                    if why:
                        gr += 1
                        print(f"REFUSED {name} {lang} {each.name}: {why}")
                else:
                    b += 1
                    n = int(each.name.rsplit("-", 1)[1])
                    flaw = data["bad"][n]
                    if not why:
                        bm += 1
                        print(f"MISSED {name} {lang} {each.kind}: {flaw.get('text') or flaw}")
                    elif os.environ.get("SHOW"):
                        print(f"hit {lang} {list(why)} {flaw.get('text') or flaw}")
            print(f"== {name} {lang} good {g - gr}/{g} bad {b - bm}/{b}")
            for i, x in enumerate((g - gr, g, b - bm, b)):
                tot[i] += x
    print("TOTAL good %d/%d bad %d/%d" % tuple(tot))
