"""Writes what the templates beside it render to: python3 render.py > rendered.json

Needs the package Jinja2. See README.md.
"""

import json
import pathlib

import jinja2
import jinja2.ext
import jinja2.sandbox

TALKS = {
    "one": ["user", "Who are you?"],
    "system": ["system", "Be brief.", "user", "Hi"],
    "long": ["system", " Be brief. ", "user", " Hi <b> & {{ 'x' }} ", "assistant", "\nHello!\n", "user", "Bye\n"],
    "closed": ["user", "Hi", "assistant", "Yo"],
    "open": ["user", "1", "assistant", "2", "user", "3", "assistant", "4", "user", "5"],
    "awkward": ["user", "a\tb  \n\n\"quoted\" 'single' \\n é 你好 😀 <|im_end|> </s> {% if %} [/INST]"],
    "empty text": ["user", ""],
    "thinking": ["user", "2+2?", "assistant", "<think>\nIt is 4.\n</think>\n\n4", "user", "And 3+3?"],
    "thinking last": ["user", "2+2?", "assistant", "<think>\nIt is 4.\n</think>\n\n4"],
    "two users": ["user", "a", "user", "b"],
    "late system": ["user", "a", "system", "b", "user", "c"],
    "assistant first": ["assistant", "a", "user", "b"],
    "another role": ["user", "a", "tool", "b"],
    "nothing": [],
}


class Refused(Exception):
    pass


def refuse(message):
    raise Refused(message)


here = pathlib.Path(__file__).parent
env = jinja2.sandbox.ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[jinja2.ext.loopcontrols])
env.globals["raise_exception"] = refuse
out = []
for path in sorted(here.glob("*.jinja")):
    template = env.from_string(path.read_text())
    for name, turns in TALKS.items():
        messages = [{"role": r, "content": c} for r, c in zip(turns[::2], turns[1::2])]
        for prompt in (False, True):
            case = {"template": path.stem, "talk": name, "messages": messages, "prompt": prompt}
            try:
                case["text"] = template.render(
                    messages=messages, tools=None, documents=None, add_generation_prompt=prompt, bos_token="<s>", eos_token="</s>"
                )
            except Refused as e:
                case["refused"] = str(e)
            out.append(case)
print("[\n" + ",\n".join(json.dumps(c) for c in out) + "\n]")
