"""The channel `smtp` against a server that breaks, refuses or hangs at each step."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import timedelta

import pytest

from digests.delivery.smtp import SmtpChannel
from digests.errors import DeliveryError
from digests.settings.mail import SmtpSettings
from tests.delivery.conftest import MAIL
from tests.delivery.mail_server import HANG_S, STEPS, MailServer

pytestmark = pytest.mark.slow  # waits for servers that hang

BEFORE_THE_BODY = STEPS[: STEPS.index("in DATA")]


def smtp(server: MailServer, *, security: str = "starttls", password: str = "right", **settings) -> SmtpChannel:
    given = {"host": "127.0.0.1", "port": server.port, "security": security, "timeout": timedelta(seconds=0.5)}
    user = {"user": "user"} if server.password else {}
    return SmtpChannel(
        SmtpSettings.model_validate(given | user | settings, context={}), sender="digest@example.org", password=password
    )


def secure(tls, **kind) -> MailServer:
    return MailServer(tls=tls, password="right", **kind)


def sent(channel: SmtpChannel, parcel) -> tuple[list[str], DeliveryError | None]:
    """Send and close; return how often the brink was noted, and the error."""
    noted: list[str] = []
    try:
        channel.send(parcel, before_commit=lambda: noted.append("brink"))
    except DeliveryError as error:
        return noted, error
    finally:
        channel.close()
    return noted, None


@pytest.mark.parametrize("way", ["starttls", "tls", "plain"])
def test_a_mail_arrives_byte_for_byte(tls, parcel, way):
    kind = {"starttls": {"tls": tls}, "tls": {"tls": tls, "tls_at_once": True}, "plain": {}}[way]
    with MailServer(password="right", **kind) as server:
        channel = smtp(server, security=way)
        said = channel.send(parcel(), before_commit=lambda: None)
        channel.close()

    (mail,) = server.taken
    assert (mail.sender, mail.recipient, mail.body) == ("digest@example.org", "ann@example.net", MAIL)
    assert said == "250 2.0.0 taken as 1A2B"
    assert server.seen[-1].upper() == "QUIT"


def test_many_mails_share_a_connection_and_each_has_a_transaction_of_its_own(tls, parcel):
    names = [f"r{n}@example.net" for n in range(5)]
    with secure(tls) as server:
        channel = smtp(server)
        for name in names:
            channel.send(parcel(name), before_commit=lambda: None)
        channel.close()

    assert [mail.recipient for mail in server.taken] == names
    assert server.connections == 1


@pytest.mark.parametrize("step", BEFORE_THE_BODY)
@pytest.mark.parametrize("what", ["drop", "hang"])
def test_a_connection_lost_before_the_mail_leaves_nothing_unknown(tls, parcel, step, what):
    with secure(tls, at={step: what}) as server:
        noted, error = sent(smtp(server), parcel())

        assert error is not None
        assert (noted, error.permanent, error.maybe_arrived, error.affects_all_recipients) == ([], False, False, True)
        assert server.taken == []


@pytest.mark.parametrize("what", ["drop", "hang"])
def test_a_connection_lost_before_the_dot_was_sent_leaves_nothing_unknown(tls, parcel, what):
    large = replace(parcel(), forms=(replace(parcel().forms[0], body=MAIL * 1_000),))  # more than is under way at once
    with secure(tls, at={"in DATA": what}) as server:
        noted, error = sent(smtp(server), large)

        assert error is not None
        assert (noted, error.permanent, error.maybe_arrived, error.affects_all_recipients) == ([], False, False, True)
        assert server.taken == []


def test_what_is_lost_while_mail_and_dot_are_under_way_is_unknown_to_us(tls, parcel):
    with secure(tls, at={"in DATA": "hang"}) as server:
        _, error = sent(smtp(server), parcel())

        assert error is not None
        assert error.maybe_arrived
        assert server.taken == []


@pytest.mark.parametrize("what", ["drop", "hang", "999 what", "nonsense"])
def test_after_the_dot_nobody_can_know(tls, parcel, what):
    with secure(tls, at={"dot": what}) as server:
        noted, error = sent(smtp(server), parcel())

        assert error is not None
        assert (noted, error.permanent, error.maybe_arrived) == (["brink"], False, True)
        assert len(server.taken) == 1


@pytest.mark.parametrize("what", ["drop", "hang", "500 no", "400 later"])
def test_what_happens_at_the_goodbye_changes_nothing(tls, parcel, what):
    with secure(tls, at={"QUIT": what}) as server:
        noted, error = sent(smtp(server), parcel())

        assert (noted, error, len(server.taken)) == (["brink"], None, 1)


@pytest.mark.parametrize("step", [step for step in STEPS if step not in ("in DATA", "QUIT")])
@pytest.mark.parametrize(("answer", "permanent"), [("450 4.2.1 come back later", False), ("550 5.7.1 never", True)])
def test_an_answer_says_whether_to_come_back(tls, parcel, step, answer, permanent):
    with secure(tls, at={step: answer}) as server:
        _, error = sent(smtp(server), parcel())

        assert error is not None
        assert (error.permanent, error.maybe_arrived) == (permanent, False)
        assert answer[4:] in str(error)
        assert server.taken == []


def test_a_recipient_who_is_refused_keeps_nobody_else_from_the_mail(tls, parcel):
    with secure(tls, refuses={"bob@example.net": "550 5.1.1 no such user"}) as server:
        channel = smtp(server)
        channel.send(parcel("ann@example.net"), before_commit=lambda: None)
        with pytest.raises(DeliveryError, match="no such user") as caught:
            channel.send(parcel("bob@example.net"), before_commit=lambda: None)
        channel.send(parcel("cem@example.net"), before_commit=lambda: None)
        channel.close()

    assert (caught.value.permanent, caught.value.affects_all_recipients) == (True, False)
    assert [mail.recipient for mail in server.taken] == ["ann@example.net", "cem@example.net"]
    assert server.connections == 1


def test_a_connection_that_the_server_closed_between_two_mails_is_opened_again(tls, parcel):
    with secure(tls) as server:
        channel = smtp(server)
        channel.send(parcel(), before_commit=lambda: None)
        server.at, server.times = {"MAIL": "drop"}, 1
        channel.send(parcel("bob@example.net"), before_commit=lambda: None)
        channel.close()

    assert [mail.recipient for mail in server.taken] == ["ann@example.net", "bob@example.net"]
    assert server.connections == 2


def test_what_the_note_of_the_brink_raises_keeps_the_mail_from_being_taken(tls, parcel):
    def refuse() -> None:
        raise DeliveryError("smtp", "another process has taken it over")

    with secure(tls) as server:
        channel = smtp(server)
        with pytest.raises(DeliveryError, match="taken it over") as caught:
            channel.send(parcel(), before_commit=refuse)
        channel.close()

    assert not caught.value.maybe_arrived
    assert server.taken == []


def test_without_starttls_nothing_is_said_in_the_clear(parcel):
    with MailServer(password="right") as server:
        _, error = sent(smtp(server), parcel())

    assert error is not None
    assert "does not offer STARTTLS" in str(error)
    assert [line.split()[0].upper() for line in server.seen if not line.startswith("QUIT")] == ["EHLO"]


def test_a_certificate_of_nobody_is_not_trusted(certificate, tls, parcel, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE")
    with secure(tls) as server:
        _, error = sent(smtp(server), parcel())

    assert error is not None
    assert "its certificate is not valid" in str(error)
    assert not any("AUTH" in line for line in server.seen)


def test_a_wrong_password_is_said_with_what_helps_and_never_shown(tls, parcel):
    with secure(tls, at={"AUTH": "535 5.7.8 the password wrong is wrong"}) as server:
        _, error = sent(smtp(server, password="wrong"), parcel())

    assert error is not None
    assert (error.permanent, error.affects_all_recipients) == (True, True)
    assert "wrong" not in str(error)
    assert "watcher digest --send" in (error.hint or "")


def test_an_answer_without_an_end_is_left(tls, parcel):
    with secure(tls, features=tuple(f"X-{n}" for n in range(500))) as server:
        _, error = sent(smtp(server), parcel())

    assert error is not None
    assert not error.permanent


def test_a_server_that_takes_too_long_in_all_is_left(tls, parcel):
    with secure(tls, at={"RCPT": "hang"}) as server:
        channel = SmtpChannel(
            SmtpSettings.model_validate({"host": "127.0.0.1", "port": server.port, "timeout": "120s"}, context={}),
            sender="digest@example.org",
            deadline_s=0.5,
        )
        server.password = ""
        started = time.monotonic()
        _, error = sent(channel, parcel())

    assert "took more than 0.5 s" in str(error) or "no answer in time" in str(error)  # whichever comes first
    assert time.monotonic() - started < HANG_S / 2


def test_what_hangs_can_be_broken_off(tls, parcel):
    with secure(tls, at={"in DATA": "hang"}) as server:
        channel = smtp(server, timeout=timedelta(seconds=HANG_S))
        threading.Timer(0.3, channel.abort).start()
        started = time.monotonic()
        _, error = sent(channel, parcel())

    assert "interrupted" in str(error)
    assert time.monotonic() - started < HANG_S / 2
