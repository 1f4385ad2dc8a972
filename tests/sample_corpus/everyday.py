"""Everyday documents with numbers that add up: weather, shopping, towns, timetables and diaries."""

from __future__ import annotations

from tests.sample_corpus import stories
from tests.sample_corpus.wording import Chooser, cap, listed

_SKIES = {
    "dry": ("clear skies", "bright sunshine with a few high clouds", "thin cloud and long sunny spells"),
    "gray": ("a low gray cover of cloud", "mostly cloudy skies without rain", "mist that lifts only slowly"),
    "wet": ("steady rain", "showers with short breaks", "drizzle that turns to rain by noon"),
    "storm": (
        "heavy showers and a risk of thunder",
        "gusts and hail in places",
        "thunderstorms from the west",
    ),
}
_SEASONS = {
    "winter": (-6, 4, ("wear gloves and watch for ice", "scrape the windshield early", "feed the birds")),
    "spring": (
        6,
        15,
        ("keep a cover ready for tender plants", "air the house at noon", "take a light jacket"),
    ),
    "summer": (17, 28, ("drink enough water", "water the garden in the evening", "seek shade at midday")),
    "autumn": (
        5,
        15,
        ("sweep leaves from the path", "switch on the lights of the bicycle early", "bring in the pots"),
    ),
}
_WINDS = ("north", "northeast", "east", "southeast", "south", "southwest", "west", "northwest")


def weather_report(ch: Chooser) -> str:
    """A local forecast whose temperatures, sky and advice agree."""
    season = ch.pick(tuple(_SEASONS))
    low, high, advice = _SEASONS[season]
    # Thunder and hail do not belong to a frosty day.
    kinds = ("dry", "gray", "wet", "storm") if season != "winter" else ("dry", "gray")
    today, tomorrow = ch.pick(kinds), ch.pick(kinds)
    top = ch.between(low + 4, high)
    night = top - ch.between(5, 9)
    next_top = top + ch.pick((-3, -2, -1, 1, 2, 3))
    trend = "warmer" if next_top > top else "cooler"
    place = stories.place(ch)
    wind = ch.between(8, 22) if today in ("dry", "gray") else ch.between(20, 48)
    rain = {"dry": 0, "gray": 10, "wet": 80, "storm": 90}[today]
    opening = ch.pick(
        (
            f"Weather for {place}: {ch.pick(_SKIES[today])} today.",
            f"The people of {place} can expect {ch.pick(_SKIES[today])} on this {season} day.",
            f"{cap(season)} weather in {place} today brings {ch.pick(_SKIES[today])}.",
        )
    )
    body = [
        f"The temperature (in degrees Celsius) reaches {top} in the afternoon and falls to {night} at night.",
        f"The wind blows from the {ch.pick(_WINDS)} at about {wind} kilometers per hour.",
        f"The chance of rain is {rain} percent.",
    ]
    sky = ch.pick(_SKIES[tomorrow])
    outlook = f"Tomorrow will bring {sky} and will be {trend}, with a high of {next_top}."
    close = ch.pick(
        (
            f"Our advice for the day: {ch.pick(advice)}.",
            f"If you go out, {ch.pick(('take an umbrella', 'wear a raincoat'))}."
            if rain >= 80
            else "No umbrella will be needed today.",
            f"The station on the hill of {place} will report again at six.",
        )
    )
    return " ".join((opening, *ch.shuffled(body), outlook, close))


_GOODS = (
    ("loaf of bread", "loaves of bread", 240, 420),
    ("bag of apples", "bags of apples", 180, 360),
    ("jar of honey", "jars of honey", 450, 720),
    ("bar of soap", "bars of soap", 120, 310),
    ("notebook", "notebooks", 150, 380),
    ("pot of basil", "pots of basil", 190, 330),
    ("pair of socks", "pairs of socks", 290, 640),
    ("bunch of carrots", "bunches of carrots", 110, 240),
    ("pack of candles", "packs of candles", 260, 550),
    ("wheel of cheese", "wheels of cheese", 780, 1250),
    ("packet of seeds", "packets of seeds", 140, 290),
    ("ball of yarn", "balls of yarn", 320, 690),
)


def _money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


def shopping_sum(ch: Chooser) -> str:
    """A purchase whose prices, total and change are computed."""
    name, subject, _ = stories.people(ch)
    goods = ch.some(_GOODS, 3, 3)
    lines, total = [], 0
    for singular, plural, low, high in goods:
        count = ch.between(1, 4)
        price = ch.between(low // 10, high // 10) * 10
        total += count * price
        if count == 1:
            lines.append(f"one {singular} for {_money(price)}")
        else:
            lines.append(f"{count} {plural} at {_money(price)} each, which makes {_money(count * price)}")
    note = next(n for n in (1000, 2000, 5000, 10000) if n >= total)
    change = f"and gets {_money(note - total)} back" if note > total else "which is exactly enough"
    opening = ch.pick(
        (
            f"{name} goes to the market in {stories.place(ch)} with a short list.",
            f"On Saturday {name} does the shopping.",
            f"{name} keeps a careful record of what {subject} spends.",
        )
    )
    close = ch.pick(
        (
            f"Altogether this costs {_money(total)}. {name} pays with a note of {note // 100} {change}.",
            f"The sum is {_money(total)}. From a note of {note // 100} there remain {_money(note - total)}.",
        )
    )
    habit = ch.pick(
        (
            f"At home {subject} writes the sum in a small book.",
            "The bag is heavy, but the way is short.",
            f"Next week {subject} will compare the prices.",
            "The seller adds a sprig of parsley for free.",
        )
    )
    return f"{opening} {cap(subject)} buys {'; '.join(lines)}. {close} {habit}"


_FEATURES = (
    "a covered market from the time of the grandparents",
    "a stone bridge with three arches",
    "a mill whose wheel still turns",
    "a library in a former fire station",
    "a row of lime trees along the canal",
    "a small museum of tools",
    "a bakery that opens at five in the morning",
    "a clock tower that is always two minutes late",
    "a ferry that carries cars and cows",
    "a park with a bandstand",
    "a school with a weather station on its roof",
    "an orchard that belongs to everyone",
    "a swimming place below the weir",
    "a workshop where bicycles are repaired by volunteers",
)
_TRADES = (
    "boat building",
    "pottery",
    "weaving",
    "paper making",
    "fruit growing",
    "cheese making",
    "glassblowing",
    "quarrying",
)
_EVENTS = (
    "a lantern walk in November",
    "a kite day in April",
    "a soup contest in January",
    "a boat race in June",
    "an apple fair in October",
    "a night of open workshops in September",
)


def town(ch: Chooser) -> str:
    """A description of an invented town."""
    place = stories.place(ch)
    people = ch.between(9, 148) * 100
    side = ch.pick(
        (
            "on the left bank of a slow river",
            "at the foot of a wooded hill",
            "between two lakes",
            "on a bay with a narrow mouth",
            "where two old roads meet",
        )
    )
    trade, second = ch.some(_TRADES, 2, 2)
    features = ch.some(_FEATURES, 3, 4)
    parts = [
        f"About {people:,} people live there.",
        f"For a long time its main trade was {trade}, and later {second} became important as well.",
        f"Visitors find {listed(features)}.",
        f"Every year the town holds {ch.pick(_EVENTS)}.",
        f"The nearest city is {ch.between(2, 9) * 10} minutes away by {ch.pick(('train', 'bus', 'boat'))}.",
        f"In the dialect of the place, the inhabitants call themselves the {place.split()[0]} folk.",
        f"The highest point, {ch.between(11, 48) * 10} meters above the sea, offers a wide view.",
    ]
    opening = ch.pick(
        (
            f"{place} is an imaginary town {side}.",
            f"Imagine a town called {place}, {side}.",
            f"In this exercise we describe the invented town of {place}, {side}.",
        )
    )
    close = ch.pick(
        (
            "",
            "It is the kind of place where people greet each other.",
            "Most who leave come back for the festival.",
            "No map shows it, but it is easy to picture.",
        )
    )
    return " ".join(p for p in (opening, *ch.shuffled(parts)[: ch.between(5, 6)], close) if p)


def timetable(ch: Chooser) -> str:
    """A bus notice whose times follow from the interval."""
    stops = ("Central Station", "Old Harbor", "Hospital Gate", "Town Hall", "North Meadow", stories.place(ch))
    start, end = ch.some(stops, 2, 2)
    interval = ch.pick((15, 20, 30, 40))
    first = ch.between(5 * 4, 7 * 4) * 15
    ride = ch.between(12, 48)
    times = [first + i * interval for i in range(4)]
    clock = [f"{t // 60}:{t % 60:02d}" for t in times]
    arrival = first + ride
    rule = ch.pick(
        (
            "Please have the fare ready.",
            "Bicycles may be carried outside rush hours.",
            "Children under six travel free.",
            "Please let others get off first.",
        )
    )
    remark = ch.pick(
        (
            "On Sundays the first bus leaves one hour later.",
            "In snow the bus may be delayed.",
            "The stop has been moved to the other side of the road.",
            "Lost property is kept at the office for a month.",
        )
    )
    return (
        f"Notice to passengers: the bus from {start} to {end} leaves every {interval} minutes. "
        f"The first four departures are at {listed(clock)}. The ride takes {ride} minutes, so the first bus "
        f"arrives at {arrival // 60}:{arrival % 60:02d}. {rule} {remark}"
    )


_MORNINGS = (
    "I woke before the alarm and heard the blackbird",
    "The kettle took ages and the window was all steamed up",
    "I slept late and had to run for the bus",
    "The neighbor's cat was waiting at the door",
    "I made porridge and burned it slightly",
    "The street was quiet except for the milk van",
)
_NOONS = (
    "At work we moved all the shelves to the other wall",
    "I had lunch with a colleague who is learning the cello",
    "In the library I found the book I had been looking for since spring",
    "I repaired the handle of the blue cup",
    "The meeting lasted twice as long as planned",
    "I planted garlic along the south wall",
    "We counted birds in the park and saw eleven kinds",
)
_EVENINGS = (
    "In the evening I cooked beans with tomatoes",
    "After supper we played cards until the lamp flickered",
    "I wrote two letters and read one chapter",
    "I walked along the river and met nobody",
    "The choir practiced the slow part again and again",
    "I mended a pair of trousers while listening to the radio",
    "I called my sister, and we talked about the garden",
)
_THOUGHTS = (
    "Small repairs give me more pleasure than new things",
    "I should leave the house earlier",
    "Tomorrow I want to begin with the hardest task",
    "It is strange how quickly a year passes",
    "I must remember to return the ladder",
    "I am grateful for good neighbors",
    "Perhaps I will try the other road next time",
)


def diary(ch: Chooser) -> str:
    """A diary entry of an ordinary day."""
    weather = ch.pick(
        (
            "rain all day",
            "cold and bright",
            "mild and windy",
            "fog until noon",
            "warm for the season",
            "still and gray",
        )
    )
    parts = [ch.pick(_MORNINGS), *ch.some(_NOONS, 2, 3), *ch.some(_EVENINGS, 2, 3)]
    days = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"]
    if not any(word in part for part in parts for word in ("At work", "meeting", "bus", "colleague", "milk van")):
        days += ["Saturday", "Sunday"]
    day = ch.pick(days)
    thought = ch.pick(_THOUGHTS)
    name = stories.people(ch)[0]
    visit = ch.pick(
        (
            f"{name} came by and brought a bag of pears.",
            f"A postcard from {name} arrived.",
            f"{name} asked whether I could lend out the drill.",
            "",
        )
    )
    return " ".join(part for part in (f"{day}, {weather}.", ". ".join(parts) + ".", visit, f"{thought}.") if part)
