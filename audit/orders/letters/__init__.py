"""What the e-mails about an order say, as text and as HTML, in any language of the site."""
