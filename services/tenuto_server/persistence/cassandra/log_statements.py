"""The statements of the commit log on Cassandra, and the timestamps that they write with.

No timestamp comes from a clock, so no clock that is wrong can make a later write lose. Rows of a log, its form and the mark
that it is sealed are written with one constant: whoever writes them again writes the same. What is removed is removed with
another, far above all that Cassandra's own clocks (which stamp lightweight transactions) will ever give: log ids and sequence
numbers are never used again, so a write that comes late stays under it. How far a log is trimmed is written with that very
number as its timestamp: the highest wins.
"""

from __future__ import annotations

from typing import Final

from tenuto_server.persistence.cassandra.session import Mode, Statement

WRITTEN: Final = 1
REMOVED: Final = 1 << 62
# Of a deleted log of the form "lwt" the seal stays for so long, and with it the refusal of what its writer might still append.
SEAL_KEPT_S: Final = 30 * 86_400

LISTED_BUCKET: Final = 0

# --- the state of a log -----------------------------------------------------------------------------------------------
CREATE = Statement("log_create", f"INSERT INTO log_states (log_id, form) VALUES (?, ?) USING TIMESTAMP {WRITTEN}")
# Two cells by quorum: what every append of the form "checked" reads.
CHECK = Statement("log_check", "SELECT form, sealed FROM log_states WHERE log_id = ?")
MARK = Statement("log_mark", f"UPDATE log_states USING TIMESTAMP {WRITTEN} SET sealed = true WHERE log_id = ?")
STATE = Statement("log_state", "SELECT form, sealed, ending, trimmed, dropped FROM log_states WHERE log_id = ?", Mode.SERIAL_READ)
END = Statement(
    "log_end",
    "UPDATE log_states SET ending = ? WHERE log_id = ? IF ending = null",
    Mode.CONDITIONAL,
    idempotent=False,
    partition=(1,),
)
TRIM = Statement("log_trim", "UPDATE log_states USING TIMESTAMP ? SET trimmed = ?, dropped = ? WHERE log_id = ?", partition=(3,))
FORGET = Statement("log_forget", f"DELETE FROM log_states USING TIMESTAMP {REMOVED} WHERE log_id = ?")

# --- the list of logs -------------------------------------------------------------------------------------------------
LIST = Statement("log_list", f"INSERT INTO logs (bucket, log_id) VALUES (?, ?) USING TIMESTAMP {WRITTEN}")
UNLIST = Statement("log_unlist", f"DELETE FROM logs USING TIMESTAMP {REMOVED} WHERE bucket = ? AND log_id = ?")
LISTED = Statement("log_listed", "SELECT log_id FROM logs WHERE bucket = ?")

# --- rows -------------------------------------------------------------------------------------------------------------
ROW = Statement(
    "log_row",
    f"INSERT INTO log_rows (log_id, segment, seq, chunk, chunks, body) VALUES (?, ?, ?, ?, ?, ?) USING TIMESTAMP {WRITTEN}",
    partition=(0, 1),
)
# Answers, where it was not applied, with the row that is there: its columns in the order of the table's keys, then by name.
ROW_IF_FREE = Statement(
    "log_row_if_free",
    "INSERT INTO log_rows (log_id, segment, seq, chunk, chunks, body) VALUES (?, ?, ?, ?, ?, ?) IF NOT EXISTS",
    Mode.CONDITIONAL,
    idempotent=False,
    partition=(0, 1),
)
SEAL_IF_FREE = Statement(
    "log_seal_if_free",
    "INSERT INTO log_rows (log_id, segment, seq, chunk, chunks) VALUES (?, ?, ?, 0, 0) IF NOT EXISTS",
    Mode.CONDITIONAL,
    idempotent=False,
    partition=(0, 1),
)
_READ = "SELECT seq, chunk, chunks, body FROM log_rows WHERE log_id = ? AND segment = ? AND seq > ?"
READ = Statement("log_read", _READ, partition=(0, 1))
READ_SERIAL = Statement("log_read_serial", _READ, Mode.SERIAL_READ, partition=(0, 1))
DROP = Statement("log_drop", f"DELETE FROM log_rows USING TIMESTAMP {REMOVED} WHERE log_id = ? AND segment = ?", partition=(0, 1))
DROP_BEFORE = Statement(
    "log_drop_before",
    f"DELETE FROM log_rows USING TIMESTAMP {REMOVED} WHERE log_id = ? AND segment = ? AND seq < ?",
    partition=(0, 1),
)
DROP_AFTER = Statement(
    "log_drop_after",
    f"DELETE FROM log_rows USING TIMESTAMP {REMOVED} WHERE log_id = ? AND segment = ? AND seq > ?",
    partition=(0, 1),
)
KEEP_SEAL = Statement(
    "log_keep_seal",
    "INSERT INTO log_rows (log_id, segment, seq, chunk, chunks) VALUES (?, ?, ?, 0, 0) "
    f"USING TIMESTAMP {REMOVED} AND TTL {SEAL_KEPT_S}",
    partition=(0, 1),
)
