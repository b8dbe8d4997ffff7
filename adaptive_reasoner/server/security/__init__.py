"""Who may ask: keys in SQL, checked before every route but health; headers for browsers."""
