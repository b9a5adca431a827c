"""From the words of a model, or of our template, to the text that is shown: slots, citations, HTML."""
