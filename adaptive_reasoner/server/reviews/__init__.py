"""Answers that wait for a person: kept in SQL, decided once, each decision written down."""
