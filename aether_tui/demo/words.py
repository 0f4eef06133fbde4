"""Titles, requests and the twelve kinds of request, written for the demonstration."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

_VERBS = (
    "Add",
    "Show",
    "Rank",
    "Cache",
    "Log",
    "Translate",
    "Summarise",
    "Route",
    "Shorten",
    "Batch",
    "Split",
    "Reuse",
)
_OBJECTS = (
    "return reasons", "order history", "policy passages", "delivery estimates", "handover notes", "size tables",
    "invoice links", "agent replies", "tool results", "address forms", "complaint drafts", "warranty terms",
    "search filters", "answer sources", "store hours",
)  # fmt: skip
_PURPOSES = (
    "in the answer panel", "for signed-in customers", "before the first reply", "per market", "in the agent desk",
    "for evaluation runs", "behind a flag", "for long conversations", "on mobile", "in the weekly digest",
)  # fmt: skip
_FAULTS = (
    "times out", "shows the wrong order", "repeats the greeting", "drops the attachment", "answers in another language",
    "loses the session", "counts a refund twice", "ignores the market filter", "returns an empty list",
)  # fmt: skip
_WHENS = (
    "when two orders share a day", "after a tool error", "on slow networks", "with more than ten items",
    "for guests", "when the index is rebuilt", "after midnight UTC", "with an expired token",
)  # fmt: skip
_CHORES = ("Upgrade", "Remove", "Document", "Pin", "Rotate", "Move", "Tidy")
_PARTS = (
    "the retrieval client", "old feature flags", "the runbook of the router", "base images", "service credentials",
    "nightly evaluation jobs", "dashboards of the gateway", "the prompt repository",
)  # fmt: skip


def title(rng: Random, kind: str) -> str:
    """A plausible title of a work item of that kind."""
    if kind == "bug":
        return f"{rng.choice(_OBJECTS).capitalize()}: {rng.choice(_FAULTS)} {rng.choice(_WHENS)}"
    if kind == "chore":
        return f"{rng.choice(_CHORES)} {rng.choice(_PARTS)}"
    return f"{rng.choice(_VERBS)} {rng.choice(_OBJECTS)} {rng.choice(_PURPOSES)}"


HOSTILE_TITLES = (
    "Refund link \x1b]8;;https://example.invalid\x07click\x1b]8;;\x07 \x1b[31mred\x1b[0m \x1b[2J in the answer",
    "[@click=app.quit]Quit[/] and [bold red]markup[/] in a customer's order note",
    "Rename \u202egnp.eciovni\u202c to invoice.png \u2066before upload\u2069",
    "返品ポリシーの回答が古い 👩🏽‍💻🚚 and the e\u0301 of caf\u00e9 breaks the column",
    "Very long: " + "the answer repeats itself and " * 20 + "never ends",
    "| table | in a title | `code` <script>alert(1)</script> <!-- # heading",
)
"""What strangers write: escape sequences, markup, bidirectional overrides, wide text, long text, Markdown and HTML."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of request: what people write, how common it is, what it takes and how often it ends well."""

    name: str
    feature: str
    scenario: str
    share: float
    success: float
    model: str
    input_tokens: int
    output_tokens: int
    tools: tuple[str, ...]
    asks: tuple[str, ...]
    things: tuple[str, ...]


_ITEMS = ("the kettle", "a rain jacket", "the desk lamp", "two mugs", "the running shoes", "a suitcase", "the blender")
_SMALL, _MID, _LARGE = "gpt-4.1-mini", "gpt-4.1", "claude-sonnet-4-5"

KINDS = (
    Kind("refund_request", "refunds", "refund", 0.115, 0.74, _LARGE, 12_700, 760, ("order_lookup", "refund_quote"),
         ("I want my money back for {}, it arrived broken", "please refund {}, I sent it back last week",
          "{} is faulty, how do I get a refund"), _ITEMS),
    Kind("refund_status", "refunds", "refund", 0.07, 0.83, _LARGE, 19_000, 610, ("order_lookup",),
         ("where is my refund for {}", "I returned {} two weeks ago and no money has come",
          "has the refund of {} been paid out yet"), _ITEMS),
    Kind("order_tracking", "orders", "standard", 0.17, 0.92, _MID, 6_100, 340, ("order_lookup", "carrier_status"),
         ("when will {} arrive", "tracking says delivered but {} is not here", "where is my parcel with {}"), _ITEMS),
    Kind("order_cancel", "orders", "standard", 0.06, 0.85, _MID, 6_800, 320, ("order_lookup", "order_cancel"),
         ("cancel my order of {} please", "I ordered {} by mistake, stop it before it ships"), _ITEMS),
    Kind("address_change", "orders", "standard", 0.05, 0.88, _MID, 5_400, 260, ("order_lookup",),
         ("send {} to my office instead", "I moved house, change the address for {}"), _ITEMS),
    Kind("product_question", "product-questions", "product", 0.15, 0.71, _MID, 9_800, 520, (),
         ("is {} dishwasher safe", "what material is {} made of", "how heavy is {} and does it fit in a cabin bag"), _ITEMS),
    Kind("size_advice", "product-questions", "product", 0.06, 0.76, _MID, 8_200, 430, ("size_table",),
         ("I am between two sizes for {}, which one", "does {} run small"), ("the rain jacket", "the running shoes", "the boots")),
    Kind("policy_question", "policies", "standard", 0.11, 0.87, _SMALL, 7_400, 380, (),
         ("how long can I return {}", "do you price match {}", "is the warranty of {} two or three years"), _ITEMS),
    Kind("login_trouble", "account", "account", 0.075, 0.9, _SMALL, 3_600, 240, ("account_lookup",),
         ("I cannot sign in, the {} never arrives", "my account is locked after the {}"), ("reset mail", "code", "password change")),
    Kind("invoice_copy", "account", "account", 0.055, 0.94, _SMALL, 3_900, 210, ("invoice_link",),
         ("I need an invoice with VAT for {}", "send me the receipt of {} again"), _ITEMS),
    Kind("complaint", "handover", "escalation", 0.045, 0.52, _LARGE, 11_800, 640, ("case_open",),
         ("this is the third time {} came wrong, I want to complain", "nobody answers me about {}, very disappointed"), _ITEMS),
    Kind("human_handover", "handover", "escalation", 0.04, 0.81, _SMALL, 4_200, 160, ("case_open",),
         ("let me talk to a person about {}", "stop the bot, a human please, it is about {}"), _ITEMS),
)  # fmt: skip
"""The hidden truth that a task taxonomy should find again."""

INSTRUCTIONS = (
    "You answer customers of Northwind, a shop for the home. Use the results of tools and the passages you are given, name the order, "
    "promise nothing that the policy does not say, and answer in at most four sentences."
)
"""What the assistant is told before each answer."""

ANSWERS = {
    "refund": "I have looked up your order with {}. The return is registered, and the money goes back to the card you paid with within "
    "five working days. You need not do anything else.",
    "standard": "Your order with {} is found. It is on its way and is expected in two working days; the tracking link in your mail shows "
    "each stop. If it is not there by then, write again and I open a case.",
    "product": "According to the product page, {} fits what you describe. The care label says how to clean it, and you can return it "
    "within thirty days if it is not right for you.",
    "account": "I have checked your account. The mail you need for {} was sent again just now; please look in the spam folder, too.",
    "escalation": "I am sorry about {}. I have opened a case with everything you told me, and a colleague writes to you today.",
}
"""What it answers, by scenario."""
