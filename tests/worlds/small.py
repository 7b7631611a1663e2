"""What all books of a small world must say: a second model, for the real program as it is met from outside.

One channel: the operator, up to two resellers below it, their clients, an agent who has a part of wholesale. Rules are
those of specs/billing.md 3.5 to 3.9, written down once more and slowly: fractions, lists, no shortcut. Amounts are cents.
"""

from fractions import Fraction

CLEARING = "Clearing"
TAX_PERCENT = 20
LABEL = "VPS"
TAX = "FR:200000"


def half_away(number, step=1):
    """The multiple of step that is nearest; of two, the one further from 0."""
    scaled = Fraction(number) / step
    whole = (2 * abs(scaled.numerator) + scaled.denominator) // (2 * scaled.denominator)
    return (whole if scaled >= 0 else -whole) * step


NANO, PICO, CENT = Fraction(1, 10**9), Fraction(1, 10**12), Fraction(1, 100)


def cents(amount):
    return int(half_away(half_away(amount, NANO), CENT) / CENT)


def part_of(amount, piece, whole):
    return int(half_away(Fraction(amount * piece, whole))) if whole else 0


class Edge:
    def __init__(self, seller, buyer, upstream, percent, way):
        self.seller, self.buyer, self.upstream, self.percent, self.way = seller, buyer, upstream, percent, way
        self.path = (upstream.path if upstream else []) + [self]
        self.id = None


class Plan:
    def __init__(self, price, unit_price):
        self.price, self.unit_price = Fraction(price), Fraction(unit_price)


class Subscription:
    def __init__(self, edge, plan, quantity, start):
        self.edge, self.start, self.end, self.id = edge, start, None, None
        self.terms = [(start, plan, quantity)]  # from when
        self.used = []  # (from, until, thousandths)
        self.billed = {}  # begin of a window: what was used of it, in thousandths

    def change(self, at, plan, quantity):
        self.terms = [t for t in self.terms if t[0] < at] + [(at, plan, quantity)]

    def windows(self, months):
        """(begin and end of the month, from, until, plan, quantity), for months that are over."""
        found = []
        for begin, end in months:
            for i, (start, plan, quantity) in enumerate(self.terms):
                ends = [end] + [t[0] for t in self.terms[i + 1:i + 2]] + ([self.end] if self.end is not None else [])
                first, last = max(begin, start), min(ends)
                if first < last:
                    found.append((begin, end, first, last, plan, quantity))
        return found


def spread(used, first, last):
    """Thousandths of what was used within a time: each report is spread evenly over its own."""
    total = 0
    for begin, end, quantity in used:
        a, b = max(begin, first), min(end, last)
        if a < b:
            total += part_of(quantity, b - begin, end - begin) - part_of(quantity, a - begin, end - begin)
    return total


class Document:
    def __init__(self, month, edge, net, tiers):
        self.month, self.edge, self.issuer, self.buyer, self.net = month, edge, edge.seller, edge.buyer, net
        self.tax = part_of(net, TAX_PERCENT, 100)
        self.gross = self.net + self.tax
        self.tiers = tiers  # what each edge of the path is sold for; of a client's alone
        self.paid = self.prepaid = self.credited = 0
        self.id = None
        self.due = 0

    def open(self):
        return self.gross - self.prepaid - self.paid - self.credited


class Share:
    def __init__(self, payer, payee, document, amount, label, at_once=False):
        self.payer, self.payee, self.document, self.amount, self.label = payer, payee, document, amount, label
        self.at_once, self.voided, self.earned, self.settled = at_once, 0, 0, 0
        self.booked = payer == CLEARING  # the invoice has booked it

    def worth(self):
        return self.amount - self.voided


class Statement:
    def __init__(self, payer, payee, amount):
        self.payer, self.payee, self.amount, self.payout = payer, payee, amount, None


class Payout:
    def __init__(self, book, payee, amount, rest):
        self.book, self.payee, self.amount, self.rest = book, payee, amount, rest
        self.state, self.id = "pending", None


class Payment:
    def __init__(self, document, amount, matched, book):
        self.document, self.amount, self.matched, self.book = document, amount, matched, book
        self.returned, self.id = False, None


class Model:
    def __init__(self, operator, agent, agent_percent, taxable):
        self.operator, self.agent, self.agent_percent, self.taxable = operator, agent, agent_percent, taxable
        self.books = {}
        self.subscriptions, self.documents, self.shares, self.statements = [], [], [], []
        self.payouts, self.payments, self.wallets, self.months = [], [], [], []
        self.purses, self.parts = [], []  # whom Clearing ever owed; (payer, document, amount)

    # --- books ---

    def post(self, book, debit, credit, amount):
        if amount == 0:
            return
        for code in (debit, credit):
            if book == CLEARING and code.startswith("AP:") and code[3:] not in self.purses:
                self.purses.append(code[3:])
        self.books[book, debit] = self.books.get((book, debit), 0) + amount
        self.books[book, credit] = self.books.get((book, credit), 0) - amount

    def balance(self, book, code):
        return self.books.get((book, code), 0)

    def post_document(self, d, sign):
        creditor = d.issuer
        if d.edge.way == "collect":
            creditor, before = CLEARING, 0
            for k, amount in enumerate(d.tiers):
                seller = d.edge.path[k].seller
                self.post(CLEARING, f"AR:{d.buyer}", f"AP:{seller}", sign * (amount - before))
                income = f"Income:{LABEL}" if k == 0 else "Income:Margin"
                self.post(seller, "AR:Clearing", income, sign * (amount - before))
                before = amount
        else:
            self.post(creditor, f"AR:{d.buyer}", f"Income:{LABEL}", sign * d.net)
        self.post(creditor, f"AR:{d.buyer}", f"VAT-Out:{TAX}", sign * d.tax)
        self.post(d.buyer, f"Expense:{LABEL}", f"AP:{creditor}", sign * d.net)
        taxed = f"VAT-In:{TAX}" if self.taxable[d.buyer] else f"Expense:{LABEL}"
        self.post(d.buyer, taxed, f"AP:{creditor}", sign * d.tax)

    # --- credit ---

    def give(self, seller, client, amount):
        self.wallets.append([seller, client, amount])
        self.post(seller, "Marketing:Referral", f"Promo:{client}", amount)
        self.post(client, f"Promo:{seller}", "Income:Reward", amount)

    def prepay(self, d):
        for wallet in self.wallets:
            if wallet[:2] == [d.issuer, d.buyer]:
                used = min(wallet[2], d.open())
                wallet[2] -= used
                d.prepaid += used

    def post_prepaid(self, d):
        creditor = d.issuer
        if d.edge.way == "collect":
            creditor = CLEARING
            self.post(CLEARING, f"AP:{d.issuer}", f"AR:{d.buyer}", d.prepaid)
            self.post(d.issuer, f"Promo:{d.buyer}", "AR:Clearing", d.prepaid)
        else:
            self.post(d.issuer, f"Promo:{d.buyer}", f"AR:{d.buyer}", d.prepaid)
        self.post(d.buyer, f"AP:{creditor}", f"Promo:{d.issuer}", d.prepaid)

    # --- the close ---

    def prices(self, edge, plan):
        """(a machine, a unit) at each edge of the path."""
        machine, unit, found = plan.price, plan.unit_price, []
        for step in edge.path:
            machine, unit = (half_away(p * step.percent / 100, PICO) for p in (machine, unit))
            found.append((machine, unit))
        return found

    def rate(self, s, month):
        """What a subscription costs at each edge in this close."""
        sums = [0] * len(s.edge.path)
        for begin, end, first, last, plan, quantity in s.windows(self.months + [month]):
            known = s.billed.get(first)
            now = spread(s.used, first, last)
            for k, (machine, unit) in enumerate(self.prices(s.edge, plan)):
                whole = half_away(machine * quantity, NANO)
                if known is None:
                    sums[k] += cents(whole * (last - begin) / (end - begin)) - cents(whole * (first - begin) / (end - begin))
                    sums[k] += cents(unit * now / 1000)
                else:
                    sums[k] += cents(unit * now / 1000) - cents(unit * known / 1000)
            s.billed[first] = now
        return sums

    @staticmethod
    def is_over(s, month):
        return s.end is not None and s.end < month[0]

    def walk(self, month):
        """By agreement; behind them, for what came late, those that had ended before."""
        over = sorted((s for s in self.subscriptions if self.is_over(s, month)), key=lambda s: s.id)
        return sorted((s for s in self.subscriptions if s not in over), key=lambda s: s.edge.id) + over

    def close(self, month, due):
        """due: the day on which what is written now is to be paid."""
        sums, above, before = [], {}, None  # [edge, amounts]: what follows one another is one invoice
        for s in self.walk(month):
            amounts = self.rate(s, month)
            if not any(amounts):
                continue
            if s.edge != before:
                sums.append([s.edge, [0] * len(amounts)])
            before = s.edge
            sums[-1][1] = [a + b for a, b in zip(sums[-1][1], amounts)]
        for edge, amounts in sums:
            for k in range(len(amounts) - 1):
                if edge.way != "collect":
                    above[edge.path[k]] = above.get(edge.path[k], 0) + amounts[k]
        fresh = [Document(month, edge, amounts[-1], amounts) for edge, amounts in sums]
        fresh += [Document(month, edge, amount, None) for edge, amount in above.items() if amount]
        self.months.append(month)
        for d in fresh:
            d.due = due
            self.prepay(d)
        for d in fresh:
            self.post_document(d, 1)
            self.post_prepaid(d)
        self.documents += fresh
        for d in fresh:
            if d.tiers:
                self.share(d)
        for payer in [CLEARING, self.operator]:
            self.state(payer)

    # --- shares ---

    def share(self, d):
        self.accrue(Share(self.operator, self.agent, d, part_of(d.tiers[0], self.agent_percent, 100), "Commission"))
        if d.edge.way != "collect":
            return
        before = 0
        for k, amount in enumerate(d.tiers):
            self.accrue(Share(CLEARING, d.edge.path[k].seller, d, amount - before, "Margin"))
            before = amount
        self.accrue(Share(CLEARING, d.issuer, d, -d.prepaid, "Prepaid", at_once=True))

    def book_share(self, s, amount):
        if not s.booked:
            self.post(s.payer, f"Expense:{s.label}", f"{s.label}:{s.payee}", amount)

    def accrue(self, s):
        if s.amount:
            self.shares.append(s)
            self.book_share(s, s.amount)
            self.earn(s)

    def earn(self, s):
        d = s.document
        whole = d.gross - d.credited
        s.earned = s.worth()
        paid = min(d.paid + d.prepaid, whole)
        if not s.at_once and whole and s.booked:  # the neutral book pays no cent that has not come in
            s.earned = s.worth() * paid // whole
        elif not s.at_once and whole:
            s.earned = part_of(s.worth(), paid, whole)

    def follow(self, d):
        for s in self.shares:
            if s.document is d:
                self.earn(s)

    def state(self, payer):
        """Statements of all that is earned and was not told: nothing has to mature here."""
        for payee in {s.payee: None for s in self.shares if s.payer == payer}:
            mine = [s for s in self.shares if (s.payer, s.payee) == (payer, payee)]
            total = 0
            for s in mine:
                due = s.earned - s.settled
                self.book_share(s, -due)
                if not s.booked:
                    self.post(payer, f"Expense:{s.label}", f"AP:{payee}", due)
                    self.post(payee, f"AR:{payer}", f"Income:{s.label}", due)
                s.settled += due
                total += due
                if due:
                    self.statements.append(Statement(payer, payee, due))

    # --- money in ---

    def collected(self, d):
        """Whether the platform takes it."""
        return d.edge.way == "collect" or (d.edge.way == "chain" and d.edge.upstream is not None)

    def move(self, d, amount):
        creditor = CLEARING if d.edge.way == "collect" else d.issuer
        if self.collected(d) and creditor != CLEARING:
            self.post(CLEARING, "Bank", f"AP:{d.issuer}", amount)
            self.post(d.issuer, "AR:Clearing", f"AR:{d.buyer}", amount)
        else:
            self.post(creditor, "Bank", f"AR:{d.buyer}", amount)
        self.post(d.buyer, f"AP:{creditor}", "Bank", amount)
        d.paid += amount
        self.follow(d)

    def pay(self, d, amount):
        matched = max(0, min(amount, d.open()))
        book = CLEARING if self.collected(d) else d.issuer
        self.move(d, matched)
        self.post(book, "Bank", "Suspense", amount - matched)
        self.payments.append(Payment(d, amount, matched, book))
        return self.payments[-1]

    def give_back(self, payment):
        payment.returned = True
        d = payment.document
        self.move(d, -payment.matched)
        if d.edge.way == "chain" and payment.book == CLEARING:
            self.undo(d.issuer, payment.matched)
        self.post(payment.book, "Bank", "Suspense", payment.matched - payment.amount)

    def credit(self, d):
        """All of it."""
        self.post_document(d, -1)
        d.credited = d.gross
        for s in self.shares:
            if s.document is d and not s.at_once:
                self.book_share(s, -s.worth())
                s.voided = s.amount
        self.follow(d)
        paid = sum(a for payer, of, a in self.parts if payer == d.buyer and of is d)
        back = min(paid, -d.open())
        if back > 0:
            self.pass_on(d, -back)
            self.undo(d.issuer, back)

    # --- money out ---

    def settle(self):
        for payer in (self.operator, CLEARING):
            self.state(payer)
            for payee in sorted({s.payee for s in self.statements if s.payer == payer}):
                mine = [s for s in self.statements if (s.payer, s.payee, s.payout) == (payer, payee, None)]
                total = sum(s.amount for s in mine)
                if total > 0:
                    self.payouts.append(Payout(payer, payee, total, rest=False))
                    for s in mine:
                        s.payout = self.payouts[-1]
        self.go_up()

    def release(self, o, sign=1):
        o.state = "sent"
        self.post(o.book, f"AP:{o.payee}", "Bank", sign * o.amount)
        self.post(o.payee, "Bank", f"AR:{o.book}", sign * o.amount)

    def answer(self, o, returned):
        if returned:
            self.release(o, -1)
            for s in self.statements:
                s.payout = None if s.payout is o else s.payout
        o.state = "returned" if returned else "confirmed"

    # --- chain: what came in for a seller pays what that owes, up to the operator ---

    def free(self, party):
        """What Clearing owes it, without what it has by collect and what is on its way out."""
        collect = sum(s.worth() - s.settled for s in self.shares if (s.payer, s.payee) == (CLEARING, party))
        collect += sum(s.amount for s in self.statements if (s.payer, s.payee, s.payout) == (CLEARING, party, None))
        left = -self.balance(CLEARING, f"AP:{party}") - max(collect, 0)
        return left - sum(o.amount for o in self.payouts if (o.book, o.payee, o.state) == (CLEARING, party, "pending"))

    def debt(self, party):
        owed = [d for d in self.documents if d.buyer == party and d.edge.way == "chain" and d.open() > 0]
        return min(owed, key=lambda d: d.due) if owed else None

    def pass_on(self, d, amount):
        self.post(CLEARING, f"AP:{d.buyer}", f"AP:{d.issuer}", amount)
        self.post(d.buyer, f"AP:{d.issuer}", "AR:Clearing", amount)
        self.post(d.issuer, "AR:Clearing", f"AR:{d.buyer}", amount)
        d.paid += amount
        self.follow(d)
        self.parts.append((d.buyer, d, amount))

    def go_up(self):
        moved = True
        while moved:
            moved = False
            for party in list(self.purses):
                left, d = self.free(party), self.debt(party)
                while left > 0 and d:
                    amount = min(left, d.open())
                    self.pass_on(d, amount)
                    moved, left, d = True, left - amount, self.debt(party)
        for party in list(self.purses):
            left = self.free(party)
            if left > 0 and not self.debt(party):
                self.payouts.append(Payout(CLEARING, party, left, rest=True))

    def undo(self, party, amount):
        missing = [(party, amount)]
        for who, lost in missing:
            if self.free(who) >= 0:
                continue
            for o in self.payouts:
                if (o.book, o.payee, o.state, o.rest) == (CLEARING, who, "pending", True):
                    o.state = "void"
            lost = min(lost, -self.free(who))
            while lost > 0 and (d := self.last_paid(who)):
                back = min(lost, sum(a for payer, of, a in self.parts if payer == who and of is d))
                self.pass_on(d, -back)
                missing.append((d.issuer, back))
                lost -= back

    def last_paid(self, party):
        """The document that it paid last out of Clearing, of which something is paid."""
        for payer, d, _ in reversed(self.parts):
            if payer == party and sum(a for who, of, a in self.parts if who == party and of is d) > 0:
                return d
        return None
