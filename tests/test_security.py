"""A broker that asks for a password: clients and Faust alike get in with the right one, and are told in one line with a wrong one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from kafka_brokers import CHOSEN, ApacheKafka, settings_for
from live_path import LivePath, until

from streams.kafka_client import KafkaTrouble
from streams.settings import Settings
from streams.topics import init_topics
from streams.worker import AWAY, run_role

pytestmark = [pytest.mark.kafka, pytest.mark.skipif(CHOSEN == "embedded", reason="the embedded broker asks nobody for a password")]

LISTENER = """
listener.security.protocol.map=PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
sasl.enabled.mechanisms=PLAIN
sasl.mechanism.inter.broker.protocol=PLAIN
listener.name.plaintext.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \
username="broker" password="its own" user_broker="its own" user_ann="right";
"""


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings with the right password."""
    directory: Path = tmp_path_factory.mktemp("guarded")
    (directory / "extra.properties").write_text(LISTENER)
    broker = ApacheKafka(directory)
    broker.start()
    settings = settings_for(broker.bootstrap, "guarded", directory)
    asks = {"security": "SASL_PLAINTEXT", "sasl_mechanism": "PLAIN", "sasl_username": "ann", "sasl_password": "right"}
    yield msgspec.structs.replace(settings, kafka=msgspec.structs.replace(settings.kafka, **asks))
    broker.stop()


def test_a_wrong_password_is_one_line_that_does_not_tell_it(guarded: Settings, capfd: pytest.CaptureFixture[str]) -> None:
    wrong = msgspec.structs.replace(guarded, kafka=msgspec.structs.replace(guarded.kafka, sasl_password="wrong-secret"))
    line = (
        f"Kafka at {guarded.kafka.bootstrap} refuses user 'ann': check kafka.sasl_username, its password and kafka.sasl_mechanism"
    )
    with pytest.raises(KafkaTrouble) as caught:
        asyncio.run(init_topics(wrong))
    assert str(caught.value) == line
    assert run_role(wrong, "reduce") == AWAY
    assert capfd.readouterr().err == f"interplay worker reduce: {line}\n"


def test_workers_get_in_with_the_right_one(guarded: Settings, tmp_path: Path) -> None:
    with LivePath(guarded, tmp_path) as path:
        (reduce,) = path.start("reduce")
        path.write([(0, None, b"not json", [])])
        until(
            lambda: 'interplay_dead_letters_total{reason="not_json"} 1' in reduce.get("metrics"), "the dead letter is counted", 10
        )
