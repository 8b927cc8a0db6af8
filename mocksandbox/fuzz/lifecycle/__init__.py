"""Lives of records: sequences of requests about one record, each answer compared with the reference's."""
