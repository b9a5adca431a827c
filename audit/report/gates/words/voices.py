"""The voices of the languages that reports are written in."""

from audit.report.gates.words import english, russian_voice, spanish

VOICES = {"en": english.VOICE, "es": spanish.VOICE, "ru": russian_voice.VOICE}
