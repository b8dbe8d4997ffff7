"""From a trace store to a refitted triage and gate, judged on runs held out before anything is shipped."""
