"""The truth behind the demo: which companies there are, in which cluster, and how each cluster writes them down."""

import math
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from itertools import cycle
from random import Random

from deploy.demo import words

CLUSTR, NUMELINK = "clustr-numerique", "numelink"
CLUSTERS = (CLUSTR, NUMELINK)
# Drawn from with rng.choice, which takes a third of the time of weights.
_HUNDRED_MEMBERS = {
    cluster: [towns for share, towns in territory.values() for _ in range(share)]
    for cluster, territory in words.TERRITORIES.items()
}
_BANDS = (*[0] * 11, *[1] * 5, *[2] * 3, 3)
_IDENTIFIED = (*["both"] * 16, *["missing"] * 3, "mistyped")
_KINDS = (*["active"] * 32, *["ended"] * 5, *["pending"] * 2, "exempt")
_OUTCOMES = (*["paid"] * 21, *["unpaid"] * 2, "partial", "credited")


@dataclass(slots=True)
class Company:
    """A company as it is, whatever anyone wrote."""

    siren: str
    root: str
    name: str
    form: str
    brand: str
    """The commercial name, often just the root; now and then a word that the legal name does not hold."""
    domain: str
    phone: str
    naf: str
    band: int
    """Of fees, from 0 for the smallest companies to 3; each cluster has its own prices."""
    first_name: str
    last_name: str
    home: tuple[str, str, str]
    """Street, postcode, town."""


@dataclass(slots=True)
class Term:
    """One period of membership that was invoiced."""

    starts_on: date
    ends_on: date
    outcome: str
    """paid, partial, unpaid or credited (cancelled by a credit note)."""


@dataclass(slots=True)
class Record:
    """One cluster's own writing of one company."""

    record_id: str
    company: Company
    shared: bool
    name: str
    brand: str = ""
    siren: str = ""
    siret: str = ""
    vat: str = ""
    naf: str = ""
    website: str = ""
    email: str = ""
    phone: str = ""
    mobile: str = ""
    street: str = ""
    postcode: str = ""
    city: str = ""
    department: str = ""
    country: str = "France"
    natural_person: bool = False
    status: str = "active"
    exempt: bool = False
    opted_out: bool = False
    joined_on: date = date(2020, 1, 1)
    modified_on: date = date(2020, 1, 1)
    terms: list[Term] = field(default_factory=list)

    @property
    def paid_until(self) -> date | None:
        """The end of the last period paid in full."""
        return max((term.ends_on for term in self.terms if term.outcome == "paid"), default=None)


@dataclass(frozen=True, slots=True)
class Pair:
    """One company in both clusters."""

    clustr_id: str
    numelink_id: str
    siren_on_both: bool
    """Both sides carry the valid SIREN, as such or inside a SIRET or VAT number."""
    changes: tuple[str, ...]
    """How Numelink's writing departs from Clust'R's."""


@dataclass(frozen=True, slots=True)
class HardNegative:
    """Two different companies that look alike."""

    kind: str
    clustr_id: str
    numelink_id: str


@dataclass(frozen=True, slots=True)
class World:
    """Everything that the files are written from."""

    records: dict[str, list[Record]]
    companies: int
    pairs: tuple[Pair, ...]
    hard_negatives: tuple[HardNegative, ...]


def build(rng: Random, members: int, overlap: float, anchor: date) -> World:
    """``members`` records in each cluster, the share ``overlap`` of them of companies that are in both."""
    shared = round(members * overlap)
    alone = members - shared
    phones = _phones(rng)
    companies = _companies(rng, phones, shared, alone)
    both, only_clustr, only_numelink = companies[:shared], companies[shared:members], companies[members:]
    negatives = _look_alikes(rng, only_clustr, only_numelink)

    # Both number from about the same place: an id means something only together with its cluster.
    numbers = {CLUSTR: 1001, NUMELINK: 901}
    records: dict[str, list[Record]] = {CLUSTR: [], NUMELINK: []}
    written: dict[str, dict[str, str]] = {CLUSTR: {}, NUMELINK: {}}
    pairs: list[Pair] = []

    def add(record: Record, cluster: str) -> Record:
        record.record_id = str(numbers[cluster])
        numbers[cluster] += 1 + below(rng, 3)
        records[cluster].append(record)
        written[cluster][record.company.siren] = record.record_id
        return record

    # An exact share, not a chance, so that the truth is the same kind of truth at every size.
    evidence = ["both"] * round(shared * 0.65)
    evidence += ["missing", "mistyped", "missing"] * (shared - len(evidence))
    evidence = evidence[:shared]
    rng.shuffle(evidence)
    for company, kept in zip(both, evidence, strict=True):
        ours, theirs = _written(rng, company, True), _written(rng, company, True)
        theirs.name, changes = _respelt(rng, company, ours.name)
        if rng.random() < 0.3:
            _place(theirs, address(rng, NUMELINK if rng.random() < 0.5 else CLUSTR))
            changes += ("other site",)
        if rng.random() < 0.4:
            theirs.phone = next(phones)
            changes += ("other phone",)
        if rng.random() < 0.5:
            theirs.email = f"{rng.choice(words.MAILBOXES)}@{company.domain}"
            changes += ("other e-mail",) if theirs.email != ours.email else ()
        _identify(rng, ours, CLUSTR, "both")
        _identify(rng, theirs, NUMELINK, "both")
        if kept != "both":
            # What is missing or wrong is so on one side, whichever.
            side, cluster = (ours, CLUSTR) if rng.random() < 0.5 else (theirs, NUMELINK)
            _identify(rng, side, cluster, kept)
            changes += (f"SIREN {kept}",)
        add(ours, CLUSTR)
        add(theirs, NUMELINK)
        pairs.append(Pair(ours.record_id, theirs.record_id, kept == "both", changes))
    for cluster, group in ((CLUSTR, only_clustr), (NUMELINK, only_numelink)):
        for company in group:
            kept = rng.choice(_IDENTIFIED)
            _identify(rng, add(_written(rng, company, False), cluster), cluster, kept)

    for cluster in CLUSTERS:
        for record in records[cluster]:
            _give_history(rng, record, cluster, anchor)
        _soil(rng, records[cluster])
        # An export is in no useful order: the companies in both must not all come first.
        rng.shuffle(records[cluster])
    return World(
        records,
        len(companies),
        tuple(pairs),
        tuple(HardNegative(kind, written[CLUSTR][a.siren], written[NUMELINK][b.siren]) for kind, a, b in negatives),
    )


# Companies


def _companies(rng: Random, phones: Iterator[str], shared: int, alone: int) -> list[Company]:
    """First the companies in both clusters, then Clust'R's own, then Numelink's own."""
    count = shared + 2 * alone
    roots = make_roots(rng, count + count // 8 + 1)
    brands = cycle(roots[count:])
    # No range of SIREN is set aside for fiction. Companies hold numbers from 3 to 9 (and old ones from 0), public
    # bodies some from 1 and 2: numbers from 16 are, to our knowledge, not given out, but nobody promises it.
    stems = rng.sample(range(16_000_000, 17_000_000), count)
    companies: list[Company] = []
    for position, stem in enumerate(stems):
        cluster = CLUSTERS[rng.randrange(2)] if position < shared else CLUSTERS[position >= shared + alone]
        root = roots[position]
        luck = rng.random()
        if luck < 0.15:
            name = root
        elif luck < 0.35:
            name = f"{rng.choice(words.WORKSHOPS)} {root}"
        else:
            name = f"{root} {rng.choice(words.TRADES)}"
        companies.append(
            Company(
                siren=with_check_digit(str(stem)),
                root=root,
                name=name,
                form=rng.choice(words.LEGAL_FORMS),
                brand=next(brands) if rng.random() < 0.1 else root,
                domain=f"{plain(root).lower()}.example",
                phone=next(phones),
                naf=rng.choice(words.NAF_CODES),
                band=rng.choice(_BANDS),
                first_name=rng.choice(words.FIRST_NAMES),
                last_name=rng.choice(words.LAST_NAMES),
                home=address(rng, cluster),
            )
        )
    return companies


def make_roots(rng: Random, count: int) -> list[str]:
    """Distinct invented words, in random order."""
    middles, tails = len(words.MIDDLES), len(words.TAILS)
    possible = len(words.HEADS) * middles * tails
    if count > possible:
        raise ValueError(f"{count} company names asked for, {possible} can be made")
    return [
        words.HEADS[number // (middles * tails)]
        + words.MIDDLES[number // tails % middles]
        + words.TAILS[number % tails]
        for number in rng.sample(range(possible), count)
    ]


def _look_alikes(rng: Random, left: list[Company], right: list[Company]) -> list[tuple[str, Company, Company]]:
    """Make some companies of different clusters look alike: near names, or one agency's domain."""
    result: list[tuple[str, Company, Company]] = []
    count = min(len(left), len(right)) // 60
    if not count:
        return result
    ours, theirs = rng.sample(left, 2 * count), rng.sample(right, 2 * count)
    for a, b in zip(ours[:count], theirs[:count], strict=True):
        a.name, b.name = f"{a.root} {words.TRADES[0]}", f"{a.root} {words.TRADES[9]}"
        b.root, b.brand = a.root, a.root
        result.append(("near names", a, b))
    for a, b in zip(ours[count:], theirs[count:], strict=True):
        a.domain = b.domain = f"agence-{plain(a.root).lower()}.example"
        result.append(("agency domain", a, b))
    return result


def _phones(rng: Random) -> Iterator[str]:
    """Numbers of the ranges that Arcep keeps for fiction, here first; they come round again after 50,000."""
    numbers: list[str] = []
    for prefix in ("046571", "019900", "026191", "035301", "053649"):
        block = [f"{prefix}{last:04d}" for last in range(10_000)]
        rng.shuffle(block)
        numbers += block
    return cycle(numbers)


def address(rng: Random, cluster: str) -> tuple[str, str, str]:
    """Street, postcode and town of somebody in this cluster, in places as its members live in them."""
    postcode, town = rng.choice(rng.choice(_HUNDRED_MEMBERS[cluster]))
    return f"{1 + below(rng, 180)} {rng.choice(words.STREETS)}", postcode, town


def below(rng: Random, limit: int) -> int:
    """What ``rng.randrange(limit)`` gives, in a quarter of its time."""
    return int(rng.random() * limit)


def plain(text: str) -> str:
    """Without its accents."""
    if text.isascii():
        return text
    kept = unicodedata.normalize("NFKD", text.replace("’", "'"))
    return "".join(letter for letter in kept if not unicodedata.combining(letter))


def with_check_digit(digits: str) -> str:
    """The digits and their Luhn check digit."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (2 - place % 2)
        total += doubled - 9 if doubled > 9 else doubled
    return f"{digits}{-total % 10}"


# How a cluster writes a company down


def _written(rng: Random, company: Company, shared: bool) -> Record:
    record = Record("", company, shared, name=_with_form(rng, company))
    if rng.random() < 0.15:
        record.name = record.name.upper()
    if company.brand != company.root or rng.random() < 0.2:
        record.brand = company.brand
    if rng.random() < 0.65:
        record.naf = company.naf
    if rng.random() < 0.6:
        record.website = rng.choice(("https://www.{}", "www.{}", "{}", "https://{}/accueil")).format(company.domain)
    if rng.random() < 0.9:
        person = plain(f"{company.first_name}.{company.last_name}").lower()
        # "boitemail" stands for the providers whose domain says nothing about the company.
        domain = "boitemail.example" if rng.random() < 0.08 else company.domain
        record.email = f"{person if rng.random() < 0.5 else rng.choice(words.MAILBOXES)}@{domain}"
    if rng.random() < 0.8:
        record.phone = company.phone
    if rng.random() < 0.05:
        record.mobile = f"063998{below(rng, 10_000):04d}"
    _place(record, company.home)
    return record


def _place(record: Record, address: tuple[str, str, str]) -> None:
    record.street, record.postcode, record.city = address
    record.department = record.postcode[:2]


def _with_form(rng: Random, company: Company) -> str:
    return rng.choice((f"{company.name} {company.form}", f"{company.form} {company.name}", company.name, company.name))


def _typo(rng: Random, name: str) -> str:
    place = rng.randrange(1, max(2, len(name) - 2))
    return rng.choice(
        (
            name[:place] + name[place + 1 :],
            name[:place] + name[place] + name[place:],
            name[:place] + name[place + 1 : place + 2] + name[place] + name[place + 2 :],
        )
    )


def _acronym(name: str) -> str:
    initials = "".join(word[0] for word in plain(name).split() if word[0].isalpha() and len(word) > 3)
    return initials.upper() if len(initials) >= 3 else ""


Change = Callable[[Random, Company, str], str]
_CHANGES: dict[str, Change] = {
    "legal form": lambda _, company, name: company.name if company.form in name else f"{name} {company.form}",
    "accents lost": lambda _, __, name: plain(name),
    "word order": lambda _, __, name: " ".join(reversed(name.split())),
    "acronym": lambda _, company, name: _acronym(company.name) or name,
    "brand": lambda _, company, __: company.brand,
    "case": lambda _, __, name: name.lower() if name.isupper() else name.upper(),
    "typo": lambda rng, _, name: _typo(rng, name),
}


def _respelt(rng: Random, company: Company, name: str) -> tuple[str, tuple[str, ...]]:
    """Another spelling than ``name``, and what was done to it."""
    wanted = 1 if rng.random() < 0.6 else 2
    spelt, done = name, tuple[str, ...]()
    for label in rng.sample(list(_CHANGES), len(_CHANGES)):
        changed = _CHANGES[label](rng, company, spelt)
        if changed not in (spelt, name):
            spelt, done = changed, (*done, label)
        if len(done) == wanted:
            break
    return spelt, done


def _identify(rng: Random, record: Record, cluster: str, kept: str) -> None:
    """Write the company's number as SIREN, SIRET or VAT number (Galette has no SIREN), mistyped, or not at all."""
    record.siren = record.siret = record.vat = ""
    if kept == "missing":
        return
    siren = record.company.siren
    if kept == "mistyped":
        # Luhn notices any single wrong digit.
        place = rng.randrange(2, 9)
        siren = f"{siren[:place]}{(int(siren[place]) + rng.randrange(1, 10)) % 10}{siren[place + 1 :]}"
    luck = rng.random()
    if cluster == CLUSTR and luck < 0.6:
        record.siren = siren
    elif luck < 0.85:
        record.siret = with_check_digit(f"{siren}{1 + below(rng, 5):04d}")
    else:
        record.vat = _vat(siren)
    # The second number agrees with the first, wrong digit and all: someone copied it.
    if not record.vat and rng.random() < 0.2:
        record.vat = _vat(siren)


def _vat(siren: str) -> str:
    return f"FR{(12 + 3 * (int(siren) % 97)) % 97:02d}{siren}"


# What happened to the membership


def _give_history(rng: Random, record: Record, cluster: str, anchor: date) -> None:
    kind = rng.choice(_KINDS)
    record.status, record.exempt = ("active", True) if kind == "exempt" else (kind, False)
    record.opted_out = rng.random() < 0.08
    # Clust'R bills calendar years, Numelink twelve months from the month of joining.
    month = 1 if cluster == CLUSTR else 1 + below(rng, 12)
    current = anchor.year if date(anchor.year, month, 1) <= anchor else anchor.year - 1
    years = 0 if kind == "pending" else math.ceil(rng.expovariate(0.35))
    last = current - rng.randrange(1, 3) if kind == "ended" else current
    first = max(last - years, 2005)
    record.joined_on = date(first, month, 1 + below(rng, 28))
    if record.joined_on > anchor:
        record.joined_on = anchor
    record.modified_on = anchor - timedelta(days=1 + below(rng, 699))
    record.modified_on = max(record.modified_on, record.joined_on)
    if kind in ("pending", "exempt"):
        return
    # Three terms at most: what a former system still holds in detail.
    for year in range(max(first, last - 2), last + 1):
        starts, ends = _twelve_months(year, month)
        outcome = "paid" if year < last else rng.choice(_OUTCOMES)
        record.terms.append(Term(starts, ends, outcome))


@cache
def _twelve_months(year: int, month: int) -> tuple[date, date]:
    return date(year, month, 1), date(year + 1, month, 1) - timedelta(days=1)


# Dirt


def _soil(rng: Random, records: list[Record]) -> None:
    """Each kind of dirt on a share of the records, and on one at least, so that a small demo shows them all."""
    loners = [record for record in records if not record.shared]

    def some(share: float, among: Sequence[Record] = records) -> list[Record]:
        return rng.sample(among, min(len(among), max(1, round(len(records) * share))))

    for record in some(0.01, loners):
        record.natural_person, record.name, record.brand = True, _person(record.company), ""
        record.siren = record.siret = record.vat = record.naf = record.website = ""
    for record in some(0.003, [record for record in loners if not record.natural_person]):
        phrase = f" – {record.company.root} conception, hébergement et maintenance de services en ligne"
        record.name = (record.name + 5 * phrase)[:299] + "."
    for record in some(0.2, [record for record in records if record.siren or record.siret]):
        record.siren, record.siret = _spaced(record.siren), _spaced(record.siret)
    for record in some(0.02, [record for record in records if record.siren]):
        record.siren += " "
    with_phone = [record for record in records if record.phone]
    for record in with_phone:
        record.phone = _dialled(rng, record.phone)
    for record in some(0.05, with_phone):
        digits = "".join(filter(str.isdigit, record.phone))[-9:]
        record.phone = f"+33 (0){digits[0]} {' '.join(digits[at : at + 2] for at in range(1, 9, 2))}"
    for record in some(0.02, [record for record in records if record.postcode.startswith("0")]):
        record.postcode = record.postcode.lstrip("0")  # a spreadsheet took it for a number
    for record in some(0.25):
        record.city = plain(record.city).upper()
    for record in some(0.1):
        record.street = plain(record.street).upper()
    for record in some(0.05):
        record.email = record.email.upper()
    for record in some(0.01, [record for record in records if record.email]):
        record.email = record.email.replace("@", rng.choice((" (at) ", "@@", "")))
    for record in some(0.005):
        record.country = rng.choice(words.COUNTRIES_THAT_ARE_NOT)


def _person(company: Company) -> str:
    return f"{company.last_name.upper()} {company.first_name}"


def _spaced(number: str) -> str:
    return " ".join(part for part in (number[:3], number[3:6], number[6:9], number[9:]) if part)


def _dialled(rng: Random, digits: str) -> str:
    match below(rng, 6):
        case 0:
            return digits
        case 1:
            return f"+33{digits[1:]}"
        case 2:
            return f"0033 {digits[1:]}"
        case luck:
            return (".", " ")[luck % 2].join(digits[at : at + 2] for at in range(0, 10, 2))
