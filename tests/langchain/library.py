"""Fifty documents of one fact each, with their sources; none is in any model's memory.

And how they are put into a prompt.
"""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.documents import Document
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder

FACTS = {
    "lighthouse.md": "The lighthouse of Varnholm is 42 metres tall.",
    "ferry.md": "The ferry to Skarvik leaves at 07:35 every morning.",
    "bakery.md": "Odalys bakes the rye bread with fennel and honey.",
    "clock.md": "The clock in the town hall was built by Henrik Thale in 1783.",
    "bridge.md": "The stone bridge over the Mirre carries at most 12 tonnes.",
    "orchard.md": "The orchard behind the mill grows 31 kinds of pears.",
    "museum.md": "The whale museum closes on Tuesdays.",
    "library.md": "A borrowed book may be kept for 28 days.",
    "printer.md": "The printer on the third floor takes only A3 paper.",
    "router.md": "The guest wireless network is called Heron Guest.",
    "backup.md": "Backups of the database run at 02:15 and last eleven minutes.",
    "badge.md": "A lost badge is replaced by Ingrid Solberg at the reception.",
    "parking.md": "Bicycles are parked in the basement of building C.",
    "canteen.md": "The canteen serves lentil soup on Thursdays.",
    "holiday.md": "Employees have 27 days of paid holiday each year.",
    "expenses.md": "Receipts above 50 euros need a signature of the treasurer.",
    "coffee.md": "The espresso machine is descaled with citric acid each month.",
    "plants.md": "The ferns in the lobby are watered by Tomasz.",
    "alarm.md": "The fire alarm is tested on the first Monday of the quarter.",
    "elevator.md": "The elevator stops working above 630 kilograms.",
    "glacier.md": "The Ostre glacier retreats by 19 metres a year.",
    "volcano.md": "Mount Keld last erupted in 1846.",
    "lake.md": "Lake Sommen is home to a blind species of trout.",
    "forest.md": "Most trees of the Arnwald are silver firs.",
    "desert.md": "Nomads cross the Tarim flats with camels in nine days.",
    "island.md": "The island of Peldro has 214 inhabitants.",
    "harbour.md": "Ships longer than 180 metres cannot enter the harbour of Lunde.",
    "river.md": "The Mirre springs below the Hollow Peak.",
    "castle.md": "Castle Brannoch lost its roof in a storm.",
    "market.md": "Cheese is sold at the market by Widow Asper.",
    "school.md": "Pupils of the village school learn the accordion.",
    "choir.md": "The choir rehearses in the old brewery.",
    "theatre.md": "The puppet theatre was founded by two sisters from Brno.",
    "painter.md": "The painter Ilse Marten used crushed mussel shells for white.",
    "violin.md": "The violin of the Cremer family is made of plum wood.",
    "poem.md": "The poem about the drowned bell has 77 stanzas.",
    "recipe.md": "The dumplings of Grandmother Juna are filled with nettles.",
    "wine.md": "The vineyard of Calder presses its grapes by foot.",
    "salt.md": "Salt from Tolna is smoked over juniper.",
    "tea.md": "Tea in Zarand is sweetened with birch syrup.",
    "satellite.md": "The satellite Wren-4 weighs 88 kilograms.",
    "telescope.md": "The mirror of the Hale Ridge telescope has 36 segments.",
    "comet.md": "Comet Dastan returns every 133 years.",
    "crystal.md": "The blue crystal melts at 817 degrees.",
    "enzyme.md": "The enzyme lacturase was found in snails.",
    "turbine.md": "Turbine seven is inspected by divers.",
    "train.md": "The night train to Orsk has a library car.",
    "tram.md": "Tram line 9 ends at the botanical garden.",
    "balloon.md": "The balloon race starts from the airfield of Quill.",
    "chess.md": "The chess club meets above the pharmacy.",
}


def documents() -> list[Document]:
    """The documents, the source of each in its metadata."""
    return [Document(fact, metadata={"source": source}) for source, fact in FACTS.items()]


# Questions with the source that answers each and a piece of the answer.
QUESTIONS = [
    ("How tall is the lighthouse of Varnholm?", "lighthouse.md", "42 metres"),
    ("Who replaces a lost badge?", "badge.md", "Ingrid Solberg"),
    ("When do the backups of the database run?", "backup.md", "02:15"),
    ("What are the dumplings of Grandmother Juna filled with?", "recipe.md", "nettles"),
    ("How many inhabitants has the island of Peldro?", "island.md", "214"),
    ("At how many degrees does the blue crystal melt?", "crystal.md", "817"),
]

ANSWER = ChatPromptTemplate.from_messages(
    [
        (
            "system",
            "Answer from the context alone and name the source of what you say.\n\n"
            "Context:\n{context}",
        ),
        MessagesPlaceholder("history", optional=True),
        ("human", "{question}"),
    ]
)


def told(found: Sequence[Document]) -> str:
    """Retrieved documents as a prompt has them."""
    return "\n\n".join(f"source: {one.metadata['source']}\n{one.page_content}" for one in found)
