"""What the rules L40 to L47 share: releases of components, and the parts of objects that show a breakage."""
