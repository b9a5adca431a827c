"""Who may do what in the admin: roles, the second factor, the limits of logging in, and the trail of it all."""
