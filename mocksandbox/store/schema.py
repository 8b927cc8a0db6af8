"""The tables of a database, and the statements that are the same for every database."""

from __future__ import annotations

from mocksandbox.store.rows import COLUMNS

VERSION = 1
"""The version of the tables below. One that reads them otherwise gets another number."""

TABLES = (
    "CREATE TABLE mocksandbox_schema (version BIGINT NOT NULL)",
    # One row for each tenant of each provider; its row is what writers lock.
    """CREATE TABLE mocksandbox_partitions (
        partition SERIAL_NUMBER, name BYTES NOT NULL UNIQUE, provider TEXT NOT NULL, tenant TEXT NOT NULL)""",
    # Every version of every record. `name` stands for kind and id, `place` is the number of the record's first version.
    """CREATE TABLE mocksandbox_versions (
        number ROW_NUMBER, partition BIGINT NOT NULL, name BYTES NOT NULL, place BIGINT, newest SMALLINT NOT NULL,
        kind TEXT NOT NULL, id TEXT NOT NULL, version BIGINT NOT NULL, state TEXT NOT NULL, recorded TEXT, author TEXT,
        keys TEXT NOT NULL, body BYTES NOT NULL)""",
    "CREATE UNIQUE INDEX mocksandbox_newest ON mocksandbox_versions (partition, name) WHERE newest = 1",
    "CREATE INDEX mocksandbox_history ON mocksandbox_versions (partition, name, number)",
    # What records are found by: `sought` stands for a kind, a key and a value.
    """CREATE TABLE mocksandbox_lookups (
        number ROW_NUMBER, partition BIGINT NOT NULL, sought BYTES NOT NULL, name BYTES NOT NULL)""",
    "CREATE UNIQUE INDEX mocksandbox_sought ON mocksandbox_lookups (partition, sought, name)",
    """CREATE TABLE mocksandbox_journal (
        number BIGINT PRIMARY KEY, tenant TEXT NOT NULL, weight BIGINT NOT NULL, elapsed REAL_NUMBER NOT NULL,
        told BYTES NOT NULL, request BYTES NOT NULL, response BYTES NOT NULL)""",
    """CREATE TABLE mocksandbox_journal_count (
        counted BIGINT NOT NULL, entries BIGINT NOT NULL, bytes BIGINT NOT NULL, dropped BIGINT NOT NULL)""",
    "INSERT INTO mocksandbox_journal_count VALUES (0, 0, 0, 0)",
    "CREATE TABLE mocksandbox_board (name TEXT PRIMARY KEY, note TEXT NOT NULL)",
    "CREATE TABLE mocksandbox_board_turn (turn BIGINT NOT NULL)",
    "INSERT INTO mocksandbox_board_turn VALUES (0)",
    """CREATE TABLE mocksandbox_shelves (
        shelf TEXT NOT NULL, name BYTES NOT NULL, value BYTES NOT NULL, ends REAL_NUMBER NOT NULL,
        PRIMARY KEY (shelf, name))""",
)
"""The statements that make the tables; the words in capitals that are no SQL stand for a database's own types."""

VERSION_MADE = "INSERT INTO mocksandbox_schema VALUES (:version)"
VERSION_FOUND = "SELECT version FROM mocksandbox_schema"

PARTITION = "SELECT partition FROM mocksandbox_partitions WHERE name = :name"
PARTITION_MADE = (
    "INSERT INTO mocksandbox_partitions (name, provider, tenant) VALUES (:name, :provider, :tenant) ON CONFLICT DO NOTHING"
)
PARTITIONS = "SELECT partition FROM mocksandbox_partitions WHERE provider = :provider ORDER BY partition"
TENANTS = "SELECT tenant FROM mocksandbox_partitions WHERE provider = :provider"
PARTITION_GONE = "DELETE FROM mocksandbox_partitions WHERE partition = :partition"
RECORDS_GONE = (
    "DELETE FROM mocksandbox_versions WHERE partition = :partition",
    "DELETE FROM mocksandbox_lookups WHERE partition = :partition",
)

_VERSIONS = f"SELECT {COLUMNS} FROM mocksandbox_versions WHERE partition = :partition"
GET = f"{_VERSIONS} AND name = :name AND newest = 1"
HISTORY = f"{_VERSIONS} AND name = :name ORDER BY number"
ALL = f"{_VERSIONS} AND newest = 1 ORDER BY coalesce(place, number)"
NAMED = f"{_VERSIONS} AND newest = 1 AND id = :id ORDER BY coalesce(place, number)"
SNAPSHOT = f"{_VERSIONS} ORDER BY coalesce(place, number), number"
FIND = f"""SELECT {", ".join(f"v.{column}" for column in COLUMNS.split(", "))} FROM mocksandbox_lookups l
    JOIN mocksandbox_versions v ON v.partition = l.partition AND v.name = l.name AND v.newest = 1
    WHERE l.partition = :partition AND l.sought = :sought ORDER BY l.number"""

OLDER = "UPDATE mocksandbox_versions SET newest = 0 WHERE number = :number"
PUT = """INSERT INTO mocksandbox_versions
    (partition, name, place, newest, kind, id, version, state, recorded, author, keys, body)
    VALUES (:partition, :name, :place, 1, :kind, :id, :version, :state, :recorded, :author, :keys, :body)"""
SOUGHT = "INSERT INTO mocksandbox_lookups (partition, sought, name) VALUES (:partition, :sought, :name) ON CONFLICT DO NOTHING"
UNSOUGHT = "DELETE FROM mocksandbox_lookups WHERE partition = :partition AND sought = :sought AND name = :name"


def tables_for(number: str, serial: str, real: str, byte_string: str) -> list[str]:
    """The statements that make the tables, in a database's own types."""
    words = {"SERIAL_NUMBER": serial, "ROW_NUMBER": number, "REAL_NUMBER": real, "BYTES": byte_string}
    made = []
    for statement in TABLES:
        for word, kind in words.items():
            statement = statement.replace(word, kind)
        made.append(statement)
    return made
