#!/usr/bin/env python3
"""Every action of a policy x every type of rule x every comparison, asked of the real HAProxy.

All policies stand in one listener. Each has a second rule, on the header X-Case, so that a request is
about one policy alone: it must act when the tested rule matches, and let the request through to the
default pool when it does not; the other way round when the rule is inverted.
"""
import itertools

from lab import *

M1, M2 = os.environ["LAB_M1"], os.environ["LAB_M2"]
WORD = {"STARTS_WITH": "abc", "ENDS_WITH": "xyz", "CONTAINS": "mid", "EQUAL_TO": "whole", "REGEX": "^r[0-9]+e$"}
MATCHES = {"STARTS_WITH": "abcdef", "ENDS_WITH": "uvwxyz", "CONTAINS": "a-mid-z", "EQUAL_TO": "whole", "REGEX": "r42e"}
OTHERS = {"STARTS_WITH": "xabc", "ENDS_WITH": "xyza", "CONTAINS": "m-i-d", "EQUAL_TO": "wholes", "REGEX": "r42f"}
ACTIONS = {"REJECT": {}, "REDIRECT_TO_POOL": {"redirect_pool": {"name": "other"}},
           "REDIRECT_TO_URL": {"redirect_url": "https://www.example.org/moved?a=1&b=%20"},
           "REDIRECT_PREFIX": {"redirect_prefix": "https://www.example.org", "redirect_http_code": 307}}


def requests_of(kind, compare):
    """The rule, what matches it and what does not, as arguments of ask()"""
    word, match, other = WORD[compare], MATCHES[compare], OTHERS[compare]
    if kind == "HOST_NAME":
        dot = {"REGEX": "^h[0-9]+[.]example[.]com$", "STARTS_WITH": "abc", "ENDS_WITH": "z.example.com",
               "CONTAINS": "mid", "EQUAL_TO": "whole.example.com"}[compare]
        good = {"REGEX": "h42.example.com", "STARTS_WITH": "abcd.example.com", "ENDS_WITH": "xyz.example.com",
                "CONTAINS": "a-mid-z.example.com", "EQUAL_TO": "WHOLE.example.com"}[compare]
        return {"value": dot}, {"name": good}, {"name": "no.example.com"}
    if kind == "PATH":
        slash = {"REGEX": "^/r[0-9]+e$", "STARTS_WITH": "/abc", "ENDS_WITH": "/xyz", "CONTAINS": "/mid/",
                 "EQUAL_TO": "/whole thing"}[compare]
        good = {"REGEX": "/r42e", "STARTS_WITH": "/abc/def", "ENDS_WITH": "/uvw/xyz", "CONTAINS": "/a/mid/z",
                "EQUAL_TO": "/whole thing"}[compare]
        if compare == "EQUAL_TO":  # a path never has a blank on the wire
            slash = good = "/whole\\thing"
        return {"value": slash}, {"path": good}, {"path": "/no"}
    if kind == "FILE_TYPE":
        value = "[.](png|jpg)$" if compare == "REGEX" else "jpg"
        return {"value": value}, {"path": "/a/picture.jpg"}, {"path": "/a/picture.gif"}
    if kind == "HEADER":
        return {"key": "X-Word", "value": word}, {"headers": {"X-Word": match}}, {"headers": {"X-Word": other}}
    return ({"key": "word", "value": word}, {"headers": {"Cookie": f"a=b; word={match}; c=d"}},
            {"headers": {"Cookie": f"word={other}"}})


def cases():
    kinds = {"HOST_NAME": WORD, "PATH": WORD, "FILE_TYPE": ("REGEX", "EQUAL_TO"), "HEADER": WORD, "COOKIE": WORD}
    for action, (kind, compares), invert in itertools.product(ACTIONS, kinds.items(), (False, True)):
        for compare in compares:
            yield action, kind, compare, invert


def acted(action, answer, path):
    """Whether the answer is what the policy does; None: it is neither that nor the default pool's."""
    if answer.status == 200:
        name = answer.seen["name"]
        return {"m2": action == "REDIRECT_TO_POOL", "m1": False}.get(name)
    if action == "REJECT":
        return True if answer.status == 403 else None
    if action == "REDIRECT_TO_URL":
        want = (302, ACTIONS[action]["redirect_url"])
    else:
        want = (307, ACTIONS[action]["redirect_prefix"] + path)
    return True if (answer.status, answer.headers["Location"]) == want else None


def main():
    policies, questions = [], []
    for number, (action, kind, compare, invert) in enumerate(cases()):
        rule, good, bad = requests_of(kind, compare)
        policies.append({"name": f"case-{number}", "action": action, **ACTIONS[action], "rules": [
            {"type": "HEADER", "compare_type": "EQUAL_TO", "key": "X-Case", "value": str(number)},
            {"type": kind, "compare_type": compare, "invert": invert, **rule}]})
        questions.append((f"{action} {kind} {compare}{' inverted' if invert else ''}", number, action, invert, good, bad))
    ids = create("policies", [{"name": "web", "protocol": "HTTP", "protocol_port": 80,
                               "default_pool": {"name": "default"}, "l7policies": policies}],
                 [pool("default", [member(M1)]), pool("other", [member(M2)])])
    say(f"{len(policies)} policies in one listener")
    for what, number, action, invert, good, bad in questions:
        for request, matches in ((good, True), (bad, False)):
            headers = {"X-Case": str(number)} | request.get("headers", {})
            path = request.get("path", "/start")
            answer = ask(80, **(request | {"headers": headers, "path": path}))
            equal(f"{what}, {'matching' if matches else 'other'} request", acted(action, answer, path), matches != invert)
    say("every action x rule type x comparison, inverted and not")

    # Order: the first that matches acts; a policy that is off does not.
    def first(position=None):
        for row in lbaas("GET", f"l7policies?listener_id={ids['web']}&position=1")["l7policies"]:
            return row
    one = first()
    lbaas("POST", "l7policies", {"l7policy": {"listener_id": ids["web"], "action": "REJECT", "position": 1,
                                              "name": "early"}})
    early = first()
    equal("the new policy is the first", early["name"], "early")
    equal("the former first is the second", lbaas("GET", f"l7policies/{one['id']}")["l7policy"]["position"], 2)
    equal("a policy without rules has no effect", ask(80).status, 200)
    lbaas("POST", f"l7policies/{early['id']}/rules", {"rule": {"type": "PATH", "compare_type": "STARTS_WITH", "value": "/"}})
    equal("with a rule it acts first", ask(80).status, 403)
    lbaas("PUT", f"l7policies/{early['id']}", {"l7policy": {"admin_state_up": False}})
    equal("off, it does not act", ask(80).status, 200)
    lbaas("DELETE", f"l7policies/{early['id']}")
    equal("positions close up", lbaas("GET", f"l7policies/{one['id']}")["l7policy"]["position"], 1)
    say("order, no rules, switched off")

    hostile = ['a"b', "a'b", "a\\b", "a#b", "a b", "a%[src]b", "${HOME}", "a;b", "$(id)", "a`b", "a{b}", "!a", "-m", "--"]
    accepted = 0
    for value in hostile:
        made = lbaas("POST", "l7policies", {"l7policy": {"listener_id": ids["web"], "action": "REJECT"}})["l7policy"]
        rule = {"type": "HEADER", "compare_type": "EQUAL_TO", "key": "X-Hostile", "value": value}
        answer = call("POST", f"/v2.0/lbaas/l7policies/{made['id']}/rules", {"rule": rule}, expect=(201, 400))
        settled()
        if "rule" in answer:
            accepted += 1
            equal(f"a rule on {value!r} matches that", ask(80, headers={"X-Hostile": value}).status, 403)
            equal(f"a rule on {value!r} matches no other", ask(80, headers={"X-Hostile": "harmless"}).status, 200)
        else:  # as Octavia does with some of them
            check(f"the refusal of {value!r} names it", "value" in answer["faultstring"], answer)
        lbaas("DELETE", f"l7policies/{made['id']}")
    check("most are accepted", accepted > len(hostile) / 2, accepted)
    say("values that a configuration language would stumble over")
    remove(ids["policies"])


main()
